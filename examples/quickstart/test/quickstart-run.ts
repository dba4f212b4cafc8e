import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parseEphemeralFleet } from '@mcpinfra/core/plugin';
import { processesWith, type ServerProcess } from '../src/server-processes.js';
import { startedBy } from '../src/servers.js';

const program = fileURLToPath(new URL('../dist/quickstart.js', import.meta.url));

/** The quickstart as it runs. */
export interface Run {
  readonly host: ChildProcess & { readonly pid: number };
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts the quickstart: without an engine, unless the environment names one. */
export function start(environment: Record<string, string> = {}): Run {
  const { PATH, HOME } = process.env;
  const host = spawn(process.execPath, [program], {
    env: { PATH, HOME, MCPINFRA_TEST_DOCKER_HOST: 'none', ...environment },
  });
  if (host.pid === undefined) throw new Error('The quickstart could not be started.');
  let output = '';
  for (const stream of [host.stdout, host.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(host, 'close').then(([code]) => code as number | null);
  return { host: Object.assign(host, { pid: host.pid }), output: () => output, ended };
}

/** Waits until a run has ended well, and returns its lines. */
export async function goodEnd(run: Run): Promise<readonly string[]> {
  expect(await run.ended, run.output()).toBe(0);
  const lines = run.output().trimEnd().split('\n');
  expect(lines.filter((line) => line.startsWith('quickstart ok'))).toHaveLength(1);
  return lines;
}

/** Whether a fleet is of this run; other runs may be under way on the same machine. */
export function isFleetOf({ host }: Run, fleet: string | undefined): boolean {
  return parseEphemeralFleet(fleet ?? '')?.pid === host.pid;
}

/** The processes of the servers of one run. */
export function processesOf(run: Run): ServerProcess[] {
  const all = processesWith(startedBy.name, startedBy.value);
  return all.filter(({ environment }) => isFleetOf(run, environment.get('MCPINFRA_FLEET')));
}
