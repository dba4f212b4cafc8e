import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Behaviour } from '../behaviour.js';
import type { HostileOptions } from '../options.js';

/** What refuses to die must not outlive the test run that lost it. */
const longestLifeMs = 10 * 60_000;

const grandchild = `
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  setTimeout(() => {}, ${longestLifeMs});
  process.stdout.write('ready');
`;

export function ignoreEof(): Behaviour {
  return {
    start() {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
        process.on(signal, () => process.stderr.write(`${signal}: ignored\n`));
      }
      setTimeout(() => process.exit(0), longestLifeMs);
    },
    outlivesStdin: true,
  };
}

export function forkSetsid({ pidfile }: HostileOptions): Behaviour {
  return {
    async start() {
      const child = spawn(process.execPath, ['-e', grandchild], {
        detached: true, // this is setsid
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      // Only now does it ignore signals.
      await once(child.stdout, 'data');
      child.stdout.destroy();
      child.unref();
      process.stderr.write(`grandchild ${child.pid}\n`);
      if (pidfile !== undefined) writeFileSync(pidfile, String(child.pid));
    },
  };
}

export function ignoreEofAndFork(options: HostileOptions): Behaviour {
  const parent = ignoreEof();
  const fork = forkSetsid(options);
  return {
    async start() {
      await parent.start?.();
      await fork.start?.();
    },
    outlivesStdin: true,
  };
}
