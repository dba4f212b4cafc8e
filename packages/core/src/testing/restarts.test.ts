import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('restarts what crashed at once, with the same copy, environment and logs', async () => {
  let environments = 0;
  await using t = await createTestInfra({
    tools: { env: (_args, { environment }) => environment },
    secrets: [
      {
        specificationVersion: 'v1',
        name: 'counting',
        resolve: async () => {
          environments += 1;
          return new Map();
        },
      },
    ],
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'x' } },
  });
  await t.settle();
  const asked = environments;
  t.crash('one', { exitCode: 3, lines: ['first', 'last words'] });
  await t.settle();

  const instance = await t.infra.instances.get(id);
  expect(instance).toMatchObject({ status: 'running', statusDetail: { restartCount: 1, nextRetryAt: null } });
  expect(instance.statusDetail.lastExit).toMatchObject({
    exitCode: 3,
    signal: null,
    lastLogLines: ['first', 'last words'],
  });
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
  expect(environments).toBe(asked);
  const { structuredContent } = await t.infra.instances.callTool(id, 'env');
  expect(structuredContent).toMatchObject({ MODE: 'x', MCP_INSTANCE_ID: id, MCP_SERVICE_NAME: 'one' });
  const lines: string[] = [];
  for await (const { text } of t.infra.instances.logs(id)) lines.push(text);
  expect(lines).toEqual(['first', 'last words']);
  const failed = t
    .recordedEvents('MCPServerInstanceStatusChanged')
    .find((event) => event.data.to === 'failed');
  expect(failed?.data).toMatchObject({ from: 'running', reason: 'EXITED', restartCount: 1 });
  expect(failed?.data.message).toContain('exited with code 3');
  expect(failed?.data.message).toContain('last words');
});

it('waits 1 s, 2 s, 4 s and so on up to a minute after further crashes, shortened by a quarter at most', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const waits: number[] = [];
  for (let crash = 1; crash <= 9; crash++) {
    t.crash('one');
    await t.settle();
    const { status, statusDetail } = await t.infra.instances.get(id);
    if (crash === 1) {
      expect(status).toBe('running');
      continue;
    }
    expect(status).toBe('failed');
    const waitMs = Date.parse(statusDetail.nextRetryAt!) - t.clock.now();
    waits.push(waitMs);
    await t.advance(waitMs - 1);
    expect((await t.infra.instances.get(id)).status).toBe('failed');
    await t.advance(1);
    expect((await t.infra.instances.get(id)).status).toBe('running');
  }
  const full = [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000);
  for (const [i, waitMs] of waits.entries()) {
    expect(waitMs).toBeLessThanOrEqual(full[i]!);
    expect(waitMs).toBeGreaterThanOrEqual(full[i]! * 0.75);
  }
});

it('counts anew after a minute of steady running', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  for (const _ of [1, 2]) {
    t.crash('one');
    await t.advance(1_000);
  }
  expect((await t.infra.instances.get(id)).statusDetail.restartCount).toBe(2);
  await t.advance(95_000);
  expect((await t.infra.instances.get(id)).statusDetail.restartCount).toBe(0);
  t.crash('one');
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { restartCount: 1 },
  });
});

it('gives up after max_restarts, says so, and tries again when it is started', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { max_restarts: 2 } },
  });
  await t.settle();
  for (const _ of [1, 2]) {
    t.crash('one');
    await t.advance(2_000);
  }
  expect((await t.infra.instances.get(id)).status).toBe('running');
  t.crash('one');
  await t.advance(600_000);
  const given = await t.infra.instances.get(id);
  expect(given).toMatchObject({
    status: 'failed',
    statusDetail: { reason: 'RESTARTS_EXHAUSTED', nextRetryAt: null },
  });
  expect(given.statusDetail.message).toContain('max_restarts (2)');
  await expect(t.infra.instances.waitUntilReady(id)).rejects.toMatchObject({ code: 'RESTARTS_EXHAUSTED' });

  await t.infra.instances.start(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('fails after the startup timeout, with the next try, and recovers once the server answers', async () => {
  await using t = await createTestInfra();
  t.hang('slow');
  const { id } = await t.infra.instances.create({
    name: 'slow',
    jsonSpec: { ...docker, lifecycle: { startup_timeout: 20 } },
  });
  await t.advance(19_999);
  expect((await t.infra.instances.get(id)).status).toBe('starting');
  // One second more: a server that does not answer does not end politely either.
  await t.advance(1_001);
  const failed = await t.infra.instances.get(id);
  expect(failed).toMatchObject({ status: 'failed', statusDetail: { reason: 'STARTUP_TIMEOUT' } });
  expect(failed.statusDetail.message).toContain('within 20 s');
  expect(failed.statusDetail.nextRetryAt).not.toBeNull();
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
  t.unhang('slow');
  await t.advance(1_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('says why a start failed and tries again with growing waits', async () => {
  await using t = await createTestInfra();
  t.failNextStart('PROVIDER_FAILED', 'the engine burps');
  t.failNextStart('PROVIDER_FAILED', 'the engine burps again');
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const first = await t.infra.instances.get(id);
  expect(first).toMatchObject({ status: 'failed', statusDetail: { reason: 'PROVIDER_FAILED' } });
  expect(first.statusDetail.message).toContain('the engine burps');
  expect(Date.parse(first.statusDetail.nextRetryAt!) - t.clock.now()).toBeGreaterThanOrEqual(750);
  await t.advance(1_000);
  expect((await t.infra.instances.get(id)).statusDetail.message).toContain('again');
  await t.advance(2_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('does not try again what only somebody can mend, until they do', async () => {
  await using t = await createTestInfra();
  t.failNextStart('COMMAND_NOT_FOUND');
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.advance(600_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'failed',
    statusDetail: { reason: 'COMMAND_NOT_FOUND', nextRetryAt: null },
  });
  await t.infra.instances.update(id, { jsonSpec: { command: ['other'] } });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('waits through retries until it is ready', async () => {
  await using t = await createTestInfra();
  t.failNextStart('PROVIDER_FAILED');
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  const ready = t.infra.instances.waitUntilReady(id);
  await t.advance(1_000);
  expect((await ready).status).toBe('running');
});

it('stops and starts again what waits for its next try', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  for (const _ of [1, 2]) {
    t.crash('one');
    await t.settle();
  }
  expect((await t.infra.instances.get(id)).status).toBe('failed');
  await t.infra.instances.stop(id);
  await t.advance(60_000);
  expect((await t.infra.instances.get(id)).status).toBe('stopped');
  expect(await t.leaks()).toEqual([]);
});

it('deletes what waits for its next try', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  for (const _ of [1, 2]) {
    t.crash('one');
    await t.settle();
  }
  await t.infra.instances.delete(id);
  await t.settle();
  expect(await t.infra.instances.count()).toBe(0);
  expect(await t.leaks()).toEqual([]);
});

it('fails a call whose server crashed with an unknown outcome and never repeats it', async () => {
  let calls = 0;
  await using t = await createTestInfra({
    tools: {
      work: () => {
        calls += 1;
        return new Promise(() => undefined);
      },
    },
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const call = t.infra.instances.callTool(id, 'work');
  const outcome = expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  await t.settle();
  expect(calls).toBe(1);
  t.crash('one');
  await t.settle();
  await outcome;
  await t.advance(60_000);
  expect(calls).toBe(1);
});
