import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const onDemand = {
  type: 'docker',
  image: 'mcp/test',
  lifecycle: { start: 'on-demand', idle_timeout: 60 },
} as const;

it('sleeps after its idle time and is woken by a call', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(59_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(2_000);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  expect(await t.infra.instances.tools(id)).toHaveLength(1);
  expect(await t.leaks()).toEqual([]);

  const answer = t.infra.instances.callTool(id, 'echo', { a: 1 });
  await t.settle();
  expect(await answer).toMatchObject({ structuredContent: { a: 1 } });
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(61_000);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  expect(await t.leaks()).toEqual([]);
});

it('is woken once for many callers', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.advance(62_000);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  const before = t.recordedEvents('MCPServerInstanceStatusChanged').length;
  const calls = Array.from({ length: 20 }, (_, n) => t.infra.instances.callTool(id, 'echo', { n }));
  await t.settle();
  const answers = await Promise.all(calls);
  expect(answers.map(({ structuredContent }) => structuredContent?.['n'])).toEqual(calls.map((_, n) => n));
  const events = t.recordedEvents('MCPServerInstanceStatusChanged').slice(before);
  expect(events.map(({ data }) => data.to)).toEqual(['pending', 'starting', 'running']);
  expect(t.provider.copies().filter(({ state }) => state === 'running')).toHaveLength(1);
});

it('stays awake as long as a call is in flight or a client is connected', async () => {
  const answers: ((value: string) => void)[] = [];
  await using t = await createTestInfra({
    callTimeoutMs: 3_600_000,
    tools: { slow: () => new Promise<string>((resolve) => answers.push(resolve)) },
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.settle();
  const call = t.infra.instances.callTool(id, 'slow');
  await t.advance(200_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  answers[0]?.('done');
  await call;
  const client = await t.infra.instances.connect(id);
  await t.advance(200_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await client.close();
  await t.advance(62_000);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  expect(await t.leaks()).toEqual([]);
});

it('tells the callers why it could not be woken', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.advance(62_000);
  t.failNextStart('PROVIDER_FAILED', 'the engine burps');
  const call = expect(t.infra.instances.callTool(id, 'echo')).rejects.toMatchObject({
    code: 'INSTANCE_NOT_READY',
    message: expect.stringContaining('the engine burps') as unknown,
  });
  await t.settle();
  await call;
});

it('counts as ready while it sleeps, and is not woken once it is stopped', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.advance(62_000);
  expect((await t.infra.instances.waitUntilReady(id)).status).toBe('idle');
  await t.infra.instances.stop(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('stopped');
  await expect(t.infra.instances.callTool(id, 'echo')).rejects.toMatchObject({ code: 'INSTANCE_STOPPED' });
});

it('takes an update while it sleeps, for its next start', async () => {
  await using t = await createTestInfra({ tools: { mode: (_args, { environment }) => environment['MODE'] } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: onDemand });
  await t.advance(62_000);
  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'new' } } });
  await t.settle();
  const sleeping = await t.infra.instances.get(id);
  expect(sleeping.observedGeneration).toBe(sleeping.generation);
  const answer = t.infra.instances.callTool(id, 'mode');
  await t.settle();
  expect(await answer).toMatchObject({ content: [{ text: 'new' }] });
  expect(t.provider.copies()).toHaveLength(1);
});
