import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { goodEnd, processesOf, start } from './quickstart-run.js';

describe('the quickstart', () => {
  it('ends well, shows no secret, and leaves no process', async () => {
    const apiKey = `key-${randomUUID()}`;
    const run = start({ QUICKSTART_API_KEY: apiKey });
    const lines = await goodEnd(run);
    expect(lines.at(-1)).toBe('quickstart ok: 3 instances, 3 tool calls, 1 recovery');
    expect(run.output()).toContain('API_KEY has arrived');
    expect(run.output()).not.toContain(apiKey);
    expect(run.output()).not.toContain('\u001b');
    expect(processesOf(run)).toEqual([]);
  });

  it.each([
    ['unix:///nowhere/docker.sock', 'no container engine answers at unix:///nowhere/docker.sock'],
    ['tcp://127.0.0.1:2375', 'names no engine on a unix socket'],
  ])('says why it does without containers: %s', async (dockerHost, reason) => {
    const lines = await goodEnd(start({ MCPINFRA_TEST_DOCKER_HOST: '', DOCKER_HOST: dockerHost }));
    expect(lines[1]).toMatch(/^As processes only: /);
    expect(lines[1]).toContain(reason);
    expect(lines[2]).toContain('set DOCKER_HOST=unix:///');
  });

  it('ends what a run left that was killed, also a server that does not notice', async () => {
    const killed = start();
    await vi.waitUntil(() => killed.output().includes('→ running'), { timeout: 20_000, interval: 5 });
    killed.host.kill('SIGSTOP');
    const [frozen] = processesOf(killed);
    expect(frozen, killed.output()).toBeDefined();
    // A stopped server reads no end of file, so it outlives its host.
    process.kill(frozen!.pid, 'SIGSTOP');
    killed.host.kill('SIGKILL');
    await killed.ended;

    const next = start();
    await goodEnd(next);
    expect(processesOf(killed)).toEqual([]);
    expect(processesOf(next)).toEqual([]);
  });

  it('stops its servers and says so when it is interrupted', async () => {
    const run = start();
    await vi.waitUntil(() => run.output().includes('→ starting'), { timeout: 20_000, interval: 5 });
    run.host.kill('SIGINT');
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('quickstart failed: It was ended by SIGINT');
    expect(processesOf(run)).toEqual([]);
  });
});
