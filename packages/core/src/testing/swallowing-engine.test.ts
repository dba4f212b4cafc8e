import { expect, it } from 'vitest';
import type { ContainerSpec, Provider } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** An engine that, while it swallows, accepts whatever it is asked and never answers that, not even when it is well again. */
function swallowing() {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const engine = { swallows: false };
  const never = (): Promise<never> => new Promise(() => undefined);
  const methods: Partial<Provider<ContainerSpec>> = {
    ensureRunning: (...args) => (engine.swallows ? never() : fake.ensureRunning(...args)),
    ensureStopped: (...args) => (engine.swallows ? never() : fake.ensureStopped(...args)),
    destroy: (...args) => (engine.swallows ? never() : fake.destroy(...args)),
    observe: (...args) => (engine.swallows ? never() : fake.observe(...args)),
    list: (...args) => (engine.swallows ? never() : fake.list(...args)),
  };
  return { clock, engine, provider: altered(fake, methods) };
}

for (const hangsForMs of [12_000, 60_000, 301_000]) {
  it(`stops, deletes, starts and restarts within 15 s after an engine swallowed everything for ${String(hangsForMs / 1_000)} s`, async () => {
    const { clock, engine, provider } = swallowing();
    await using t = await createTestInfra({ clock, providers: [provider] });
    const ids: string[] = [];
    for (const name of ['stopped', 'deleted', 'crashed'])
      ids.push((await t.infra.instances.create({ name, jsonSpec: docker })).id);
    await t.settle();
    const [stopped = '', deleted = '', crashed = ''] = ids;
    engine.swallows = true;
    await t.infra.instances.stop(stopped);
    await t.infra.instances.delete(deleted);
    t.crash('crashed');
    const made: string[] = [];
    for (let n = 0; n < 3; n++)
      made.push((await t.infra.instances.create({ name: `new-${String(n)}`, jsonSpec: docker })).id);
    await t.advance(hangsForMs);
    if (hangsForMs > 20_000) expect((await t.infra.health()).status).toBe('degraded');
    engine.swallows = false;
    await t.advance(15_000);
    expect((await t.infra.instances.get(stopped)).status).toBe('stopped');
    expect(await t.infra.instances.count({ name: 'deleted' })).toBe(0);
    for (const id of [crashed, ...made]) expect((await t.infra.instances.get(id)).status).toBe('running');
    await t.advance(60_000);
    expect((await t.infra.health()).status).toBe('ok');
    expect(await t.leaks()).toEqual([]);
  });
}

it('leaves alone a start that is only slow', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  let starts = 0;
  const provider = altered(fake, {
    ensureRunning: async (...args) => {
      starts += 1;
      await new Promise<void>((resolve) => void clock.schedule(50_000, resolve));
      return fake.ensureRunning(...args);
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'slow', jsonSpec: docker });
  await t.advance(51_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(starts).toBe(1);
  expect(t.recordedEvents('FleetDegraded')).toEqual([]);
});
