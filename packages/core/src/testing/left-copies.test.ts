import { expect, it } from 'vitest';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const lifecycle = { drain_timeout: 1, stop_grace: 1 };
const docker = { type: 'docker', image: 'mcp/test', lifecycle } as const;

it.each(['delete', 'stop'] as const)(
  'does not resolve a %s while a copy runs that an update could not remove',
  async (command) => {
    const clock = manualClock();
    const engine = fakeProvider({ clock });
    const trouble = { isAway: false };
    const destroy: typeof engine.destroy = (...args) =>
      trouble.isAway ? Promise.reject(new Error('the engine is away')) : engine.destroy(...args);
    const t = await createTestInfra({ clock, providers: [altered(engine, { destroy })] as const });
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    trouble.isAway = true;
    await t.infra.instances.update(id, { jsonSpec: { environment: { Z: '1' } } });
    await t.advance(2_000);
    expect(engine.copies()).toHaveLength(2);
    let running: number | undefined;
    const isRunning = () => engine.copies().filter(({ state }) => state === 'running').length;
    const over = t.infra.instances[command](id, { wait: true }).then(() => (running = isRunning()));
    over.catch(() => undefined);
    await t.advance(3_000);
    expect(running).toBe(undefined);
    trouble.isAway = false;
    await t.advance(60_000);
    expect(running).toBe(0);
    await t.stop();
  },
);

it('removes a copy that could not be removed long before the next look at all', async () => {
  const clock = manualClock();
  const engine = fakeProvider({ clock });
  const trouble = { isAway: false };
  const destroy: typeof engine.destroy = (...args) =>
    trouble.isAway ? Promise.reject(new Error('the engine is away')) : engine.destroy(...args);
  await using t = await createTestInfra({ clock, providers: [altered(engine, { destroy })] as const });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  trouble.isAway = true;
  await t.infra.instances.update(id, { jsonSpec: { environment: { Z: '1' } } });
  await t.advance(1_500);
  trouble.isAway = false;
  await t.infra.instances.delete(id, { wait: true });
  expect(engine.copies()).toEqual([]);
});
