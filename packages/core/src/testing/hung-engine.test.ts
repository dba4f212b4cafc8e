import { expect, it } from 'vitest';
import { Once } from '../async/once.js';
import { memoryStore } from '../index.js';
import type { Store } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { type ManualClock, manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 1 } } as const;
const forever = () => new Promise<never>(() => undefined);

/** An engine that, while it hangs, takes every question and answers none. */
function engine() {
  const clock = manualClock();
  const fake = fakeProvider({ clock, tools: { echo: (args) => args } });
  const state = { hangs: false, stopHangs: false };
  const provider = altered(fake, {
    observe: (copy, options) => (state.hangs ? forever() : fake.observe(copy, options)),
    list: (options) => (state.hangs ? forever() : fake.list(options)),
    dial: (target, options) => (state.hangs ? forever() : fake.dial(target, options)),
    ensureStopped: (copy, stop, options) =>
      state.hangs || state.stopHangs ? forever() : fake.ensureStopped(copy, stop, options),
  });
  return { clock, fake, provider, state };
}

it.each([
  ['answers all the same, as over HTTP', false],
  ['is reached through the engine, as over stdio', true],
])('makes health unknown within one interval where the server %s, and restarts nothing', async (_, cut) => {
  const { clock, fake, provider, state } = engine();
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.advance(40_000);
  const [before] = fake.copies();
  const started = before && (await fake.observe(before.copy));
  state.hangs = true;
  if (cut) t.hang('one');
  await t.advance(30_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { reason: 'PLACEMENT_UNREACHABLE', health: { state: 'unknown' } },
  });
  await t.advance(600_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  state.hangs = false;
  if (cut) t.unhang('one');
  await t.advance(30_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { reason: '', message: '', health: { state: 'healthy' } },
  });
  expect(before && (await fake.observe(before.copy))).toEqual(started);
  const told = t
    .recordedEvents('MCPServerInstanceStatusChanged')
    .map(({ data }) => `${data.from}>${data.to} ${data.health}`);
  expect(told.slice(-2)).toEqual(['running>running unknown', 'running>running healthy']);
  expect(told.some((line) => line.includes('unhealthy') || line.includes('failed'))).toBe(false);
});

it.each([
  ['worker', ['control', 'worker']],
  ['process that only controls', ['control']],
] as const)(
  'is named by a %s within 10 s, and no longer 10 s after it is back, also where nothing runs',
  async (_, roles) => {
    const { clock, provider, state } = engine();
    await using t = await createTestInfra({ clock, providers: [provider], roles: [...roles] });
    const named = async () => (await t.infra.health()).degraded.map(({ part }) => part);
    await t.advance(60_000);
    for (let times = 1; times <= 2; times++) {
      state.hangs = true;
      await t.advance(10_100);
      expect(await named()).toEqual(['provider:docker']);
      await t.advance(60_000);
      state.hangs = false;
      await t.advance(10_000);
      expect(await named()).toEqual([]);
      expect(t.recordedEvents('FleetDegraded')).toHaveLength(times);
      expect(t.recordedEvents('FleetRecovered')).toHaveLength(times);
    }
  },
);

it('is named while it answers for a copy, and not for all it runs, once somebody met with that', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const state = { hangs: false };
  const provider = altered(fake, { list: (options) => (state.hangs ? forever() : fake.list(options)) });
  await using t = await createTestInfra({ clock, providers: [provider] });
  state.hangs = true;
  await t.advance(120_000);
  expect((await t.infra.health()).degraded.map(({ part }) => part)).toEqual(['provider:docker']);
  state.hangs = false;
  await t.advance(40_000);
  expect((await t.infra.health()).status).toBe('ok');
  expect(t.recordedEvents('FleetDegraded')).toHaveLength(1);
  expect(t.recordedEvents('FleetRecovered')).toHaveLength(1);
});

/** A store that outlives its infra. */
function lasting(clock: ManualClock): Store {
  const store = memoryStore({ clock });
  const opened = new Once(() => store.open());
  return altered(store, { open: () => opened.get(), close: async () => undefined });
}

it('has a server that really hangs called so after the engine was away and the host started anew', async () => {
  const { clock, fake, provider, state } = engine();
  const store = lasting(clock);
  const first = await createTestInfra({ clock, providers: [provider], store });
  const { id } = await first.infra.instances.create({ name: 'one', jsonSpec: docker });
  await first.settle();
  state.hangs = true;
  await first.advance(60_000);
  expect((await first.infra.instances.get(id)).statusDetail.health.state).toBe('unknown');
  await first.stop();
  state.hangs = false;
  fake.hang('one');
  await using second = await createTestInfra({ clock, providers: [provider], store });
  await second.advance(160_000);
  const statuses = second
    .recordedEvents('MCPServerInstanceStatusChanged')
    .map(({ data }) => `${data.to} ${data.reason}`);
  expect(statuses).toContain('unhealthy REQUEST_TIMEOUT');
  fake.unhang('one');
  await second.advance(60_000);
  expect((await second.infra.instances.get(id)).status).toBe('running');
});

it('restarts no server that was unhealthy when the host stopped and answers when it is probed anew', async () => {
  const { clock, fake, provider, state } = engine();
  const store = lasting(clock);
  const first = await createTestInfra({ clock, providers: [provider], store });
  const health_check = { interval: 30, timeout: 1, retries: 1 };
  const { id } = await first.infra.instances.create({ name: 'one', jsonSpec: { ...docker, health_check } });
  await first.settle();
  const [copy] = fake.copies();
  const started = copy && (await fake.observe(copy.copy));
  fake.hang('one');
  state.stopHangs = true;
  for (let s = 0; s < 31 && (await first.infra.instances.get(id)).status === 'running'; s++)
    await first.advance(1_000);
  expect((await first.infra.instances.get(id)).status).toBe('unhealthy');
  await first.stop();
  fake.unhang('one');
  state.stopHangs = false;
  await using second = await createTestInfra({ clock, providers: [provider], store });
  await second.advance(60_000);
  expect(await second.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { health: { state: 'healthy' } },
  });
  expect(copy && (await fake.observe(copy.copy))).toEqual(started);
});
