import { expect, it } from 'vitest';
import { createTestInfra, type TestInfra } from './create-test-infra.js';

const jsonSpec = {
  type: 'docker',
  image: 'mcp/test',
  lifecycle: { start: 'on-demand', idle_timeout: 1, stop_grace: 3 },
} as const;

/** An instance that takes longer to fall asleep than it may be idle, and ends when `ends()` is called. */
async function fallingAsleep(t: TestInfra) {
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  t.hang('one');
  await t.advance(1_500);
  expect((await t.infra.instances.get(id)).status).toBe('stopping');
  const ends = async (): Promise<void> => {
    await t.advance(1_500);
    t.crash('one', { exitCode: 0 });
    t.unhang('one');
    await t.advance(1_600);
  };
  return { id, ends };
}

it('serves a call that comes while it falls asleep', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id, ends } = await fallingAsleep(t);
  const call = t.infra.instances.callTool(id, 'echo', { a: 1 });
  const session = t.infra.instances.connect(id);
  await ends();
  expect(await call).toMatchObject({ structuredContent: { a: 1 } });
  await (await session).close();
  expect(await t.leaks()).toEqual([]);
});

it.each(['start', 'restart'] as const)('runs after a %s() while it falls asleep', async (command) => {
  await using t = await createTestInfra();
  const { id, ends } = await fallingAsleep(t);
  const before = (await t.infra.instances.get(id)).generation;
  const done = t.infra.instances[command](id, { wait: true });
  await ends();
  expect(await done).toMatchObject({ status: 'running', generation: before + 1 });
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
});

it('does not fall asleep again before it has served those for whom it wakes', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.advance(2_500);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  t.hang('one');
  const call = t.infra.instances.callTool(id, 'echo', { a: 1 });
  await t.advance(4_000);
  await t.infra.instances.update(id, { description: 'news in between' });
  await t.advance(1_000);
  t.unhang('one');
  await t.advance(1_000);
  expect(await call).toMatchObject({ structuredContent: { a: 1 } });
});

it('is awake from when it runs for its whole idle time, however long it took to start', async () => {
  await using t = await createTestInfra();
  t.hang('one');
  const lifecycle = { start: 'on-demand', idle_timeout: 20 } as const;
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: { ...jsonSpec, lifecycle } });
  await t.advance(18_000);
  t.unhang('one');
  await t.advance(12_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(30_000);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
});

it('runs for good once it is to run eagerly, also where it sleeps', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.advance(2_500);
  expect((await t.infra.instances.get(id)).status).toBe('idle');
  const eager = { jsonSpec: { lifecycle: { start: 'eager' } } } as const;
  const updated = t.infra.instances.update(id, eager, { wait: true });
  await t.settle();
  expect((await updated).status).toBe('running');
  await t.advance(60_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
});
