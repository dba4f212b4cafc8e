import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { parseEphemeralFleet } from '@mcpinfra/core/plugin';
import { processesWith, type ServerProcess } from '../src/server-processes.js';
import { startedBy } from '../src/servers.js';

const program = fileURLToPath(new URL('../dist/quickstart.js', import.meta.url));
const plain = { PATH: process.env['PATH'], HOME: process.env['HOME'] };

interface Run {
  readonly host: ChildProcess & { readonly pid: number };
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(environment: Record<string, string> = {}): Run {
  const host = spawn(process.execPath, [program], { env: { ...plain, ...environment } });
  if (host.pid === undefined) throw new Error('The quickstart could not be started.');
  let output = '';
  for (const stream of [host.stdout, host.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(host, 'close').then(([code]) => code as number | null);
  return { host: Object.assign(host, { pid: host.pid }), output: () => output, ended };
}

/** The processes of the servers of one run; other runs may be under way on the same machine. */
function serversOf({ host }: Run): ServerProcess[] {
  return processesWith(startedBy.name, startedBy.value).filter(
    ({ environment }) => parseEphemeralFleet(environment.get('MCPINFRA_FLEET') ?? '')?.pid === host.pid,
  );
}

describe('the quickstart', () => {
  it('ends well, shows no secret, and leaves no process', async () => {
    const apiKey = `key-${randomUUID()}`;
    const run = start({ QUICKSTART_API_KEY: apiKey });
    expect(await run.ended, run.output()).toBe(0);

    const lines = run.output().trimEnd().split('\n');
    expect(lines.at(-1)).toBe('quickstart ok: 3 instances, 3 tool calls, 1 recovery');
    expect(lines.filter((line) => line.startsWith('quickstart ok'))).toHaveLength(1);
    expect(run.output()).toContain('API_KEY has arrived');
    expect(run.output()).not.toContain(apiKey);
    expect(run.output()).not.toContain('\u001b');
    expect(serversOf(run)).toEqual([]);
  });

  it('ends what a run left that was killed, also a server that does not notice', async () => {
    const killed = start();
    await vi.waitUntil(() => killed.output().includes('→ running'), { timeout: 20_000, interval: 5 });
    killed.host.kill('SIGSTOP');
    const [frozen] = serversOf(killed);
    expect(frozen, killed.output()).toBeDefined();
    // A stopped server reads no end of file, so it outlives its host.
    process.kill(frozen!.pid, 'SIGSTOP');
    killed.host.kill('SIGKILL');
    await killed.ended;

    const next = start();
    expect(await next.ended, next.output()).toBe(0);
    expect(serversOf(killed)).toEqual([]);
    expect(serversOf(next)).toEqual([]);
  });

  it('stops its servers and says so when it is interrupted', async () => {
    const run = start();
    await vi.waitUntil(() => run.output().includes('→ starting'), { timeout: 20_000, interval: 5 });
    run.host.kill('SIGINT');
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('quickstart failed: It was ended by SIGINT');
    expect(serversOf(run)).toEqual([]);
  });
});
