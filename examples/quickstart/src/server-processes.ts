import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { isSurelyDead, parseEphemeralFleet } from '@mcpinfra/core/plugin';
import type { Place } from './place.js';
import { startedBy } from './servers.js';

/** A living process and the variables it was started with. */
export interface ServerProcess {
  readonly pid: number;
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Lists the living processes that were started with a variable.
 *
 * The process provider gives every server, and so its children, `MCPINFRA_FLEET` and `MCPINFRA_INSTANCE`.
 */
export function processesWith(name: string, value: string): ServerProcess[] {
  const all = process.platform === 'linux' ? readProc() : readPs();
  return all.filter(({ environment }) => environment.get(name) === value);
}

/** The child processes of hosts on this machine, told by the system itself. */
export const serverProcesses: Place = {
  pidsOf: async (instanceId) => processesWith('MCPINFRA_INSTANCE', instanceId).map(({ pid }) => pid),
  kill: async (instanceId) => {
    for (const { pid } of processesWith('MCPINFRA_INSTANCE', instanceId)) process.kill(pid, 'SIGKILL');
  },
  remains: async (fleet) => processesWith('MCPINFRA_FLEET', fleet).map(nameOf),
  abandoned: async () => {
    const left: ServerProcess[] = [];
    for (const server of processesWith(startedBy.name, startedBy.value)) {
      // The name of a memory store's fleet tells which process owned it.
      const host = parseEphemeralFleet(server.environment.get('MCPINFRA_FLEET') ?? '');
      if (host && (await isSurelyDead(host))) left.push(server);
    }
    return left.map(nameOf);
  },
};

function nameOf({ pid }: ServerProcess): string {
  return `process ${pid}`;
}

function readProc(): ServerProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return [{ pid: Number(pid), environment: variables(entries) }];
    } catch {
      return []; // It has ended meanwhile, or belongs to somebody else.
    }
  });
}

// Where there is no /proc, ps shows the environment after the command. No variable asked for here holds a blank.
function readPs(): ServerProcess[] {
  const lines = execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [pid, ...words] = line.trim().split(/\s+/);
    return { pid: Number(pid), environment: variables(words) };
  });
}

function variables(entries: readonly string[]): Map<string, string> {
  return new Map(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
