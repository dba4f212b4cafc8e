import { memorySecrets, Secret } from '@mcpinfra/core';
import { describe, expect, it } from 'vitest';
import { bearersOf, fixture, hostile, rejection, soon, startHost, textOf, until } from './support.js';

describe('what fails after it was admitted', () => {
  it.each([
    [
      'a command that does not exist',
      { command: ['no-such-command'] },
      'COMMAND_NOT_FOUND',
      /no-such-command/,
      false,
    ],
    [
      'a server that exits at once',
      { command: hostile('exit-at-once', '--code', '7') },
      'EXITED_AT_START',
      /code 7/,
      true,
    ],
    [
      'a server that never answers',
      { command: hostile('hang-on-start'), lifecycle: { startup_timeout: 1 } },
      'STARTUP_TIMEOUT',
      /1 s/,
      true,
    ],
    [
      'a server that speaks stdio although a port was given',
      { command: hostile('stdio-though-port'), port: 'auto' as const },
      'SPEAKS_STDIO',
      /transport: stdio/,
      false,
    ],
    [
      'a secret that nobody has',
      { command: fixture(), environment: { A: 'secret_ref:nobody:HAS_IT' } },
      'SECRET_NOT_FOUND',
      /secret_ref:nobody:HAS_IT/,
      true,
    ],
    [
      'a server of another version',
      { command: hostile('wrong-version'), lifecycle: { startup_timeout: 1 } },
      'STARTUP_TIMEOUT',
      /version/i,
      true,
    ],
  ])(
    '%s ends in failed with a code, a sentence and the next try',
    async (_what, spec, reason, message, retried) => {
      const { infra, fleet, create } = await startHost();
      const id = await create(spec);
      const failed = await infra.instances.waitFor(id, 'failed', soon());
      expect(failed.statusDetail.reason).toBe(reason);
      expect(failed.statusDetail.message).toMatch(message);
      expect(failed.statusDetail.nextRetryAt === null).toBe(!retried);
      expect(bearersOf(fleet, id).length === 0 || failed.statusDetail.nextRetryAt !== null).toBe(true);
      await infra.instances.stop(id, { wait: true, ...soon() });
      expect(bearersOf(fleet, id)).toEqual([]);
    },
  );

  it('keeps the exit code and the last log lines, and waits longer before each next try', async () => {
    const { infra, create } = await startHost();
    const id = await create({ command: hostile('exit-at-once', '--code', '7') });
    const failed = await infra.instances.waitFor(id, 'failed', soon());
    expect(failed.statusDetail.lastExit).toMatchObject({ exitCode: 7, signal: null, oomKilled: false });
    expect(failed.statusDetail.lastExit?.lastLogLines).toHaveLength(2);
    const lines: string[] = [];
    for await (const line of infra.instances.logs(id)) lines.push(line.text);
    expect(lines).toEqual(failed.statusDetail.lastExit?.lastLogLines);
    const waits: number[] = [];
    for await (const instance of infra.instances.watch(id, soon())) {
      const { nextRetryAt, since } = instance.statusDetail;
      if (instance.status === 'failed' && nextRetryAt !== null)
        waits.push(Date.parse(nextRetryAt) - Date.parse(since));
      if (waits.length === 2) break;
    }
    expect(waits[1]).toBeGreaterThan((waits[0] ?? 0) * 1.4);
  });

  it('gives up after max_restarts and says so', async () => {
    const { infra, create } = await startHost();
    const id = await create({
      command: hostile('exit-at-once', '--code', '7'),
      lifecycle: { max_restarts: 0 },
    });
    const error = await rejection(infra.instances.waitUntilReady(id, soon()));
    expect(error.code).toBe('RESTARTS_EXHAUSTED');
    expect(error.message).toMatch(/code 7/);
    expect(error.details['lastLogLines']).toHaveLength(2);
  });

  it('runs by itself once the missing secret is there', async () => {
    const secrets = memorySecrets();
    const { infra, create } = await startHost({ secrets: [secrets] });
    const id = await create({ command: fixture(), environment: { A: 'secret_ref:late:KEY' } });
    await infra.instances.waitFor(id, 'failed', soon());
    await secrets.put({ scope: 'late', key: 'KEY' }, new Secret('here now'));
    await infra.instances.waitUntilReady(id, soon());
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'A' }))).toContain('here now');
  });

  it('runs after a corrected update or a retry by hand', async () => {
    const { infra, create } = await startHost();
    const id = await create({ command: ['no-such-command'] });
    await infra.instances.waitFor(id, 'failed', soon());
    await expect(infra.instances.waitUntilReady(id)).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
    await expect(infra.instances.start(id, { wait: true })).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
    });
    await infra.instances.update(id, { jsonSpec: { command: fixture() } });
    await infra.instances.waitUntilReady(id, soon());
  });

  it('restarts a server that hangs after it had answered', async () => {
    const { infra, fleet, create, events } = await startHost();
    // Answers initialize and the list of tools, then never again.
    const id = await create({
      command: hostile('hang-after', '--after', '2'),
      health_check: { interval: 1, timeout: 1, retries: 2 },
    });
    await infra.instances.waitUntilReady(id, soon());
    const before = bearersOf(fleet, id);
    await until(() =>
      events.some((e) => e.type === 'MCPServerInstanceStatusChanged' && e.data.to === 'unhealthy'),
    );
    await infra.instances.waitFor(
      id,
      (i) => i.status === 'running' && i.statusDetail.restartCount === 1,
      soon(),
    );
    expect(bearersOf(fleet, id)).not.toEqual(before);
  });
});

describe('many at once', () => {
  it('eight starts that hang delay neither the ninth nor a list', async () => {
    const { infra, create } = await startHost();
    await Promise.all(Array.from({ length: 8 }, () => create({ command: hostile('hang-on-start') })));
    const ninth = await create({ command: fixture() });
    const began = performance.now();
    expect((await infra.instances.list()).items).toHaveLength(9);
    expect(performance.now() - began).toBeLessThan(1_000);
    await infra.instances.waitUntilReady(ninth, soon());
    expect(await infra.instances.count({ status: 'starting' })).toBe(8);
  });

  it('a delete during a start cancels it and leaves nothing', async () => {
    const { infra, fleet, create } = await startHost();
    const ids = await Promise.all(
      Array.from({ length: 4 }, () => create({ command: hostile('hang-on-start') })),
    );
    await until(() => bearersOf(fleet).length >= 4);
    await Promise.all(ids.map((id) => infra.instances.delete(id, { wait: true, ...soon() })));
    expect(bearersOf(fleet)).toEqual([]);
    expect(await infra.instances.count()).toBe(0);
  });

  it('a delete right after the create leaves nothing', async () => {
    const { infra, fleet, create } = await startHost();
    const ids = await Promise.all(Array.from({ length: 6 }, () => create({ command: fixture() })));
    await Promise.all(ids.map((id) => infra.instances.delete(id, { wait: true, ...soon() })));
    expect(bearersOf(fleet)).toEqual([]);
  });
});
