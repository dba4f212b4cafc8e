import { expect, it } from 'vitest';
import { memoryEventBus, memoryStore } from '../index.js';
import type { Event, EventBus } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';

/** So many definitions, made without waiting for what is told of them. */
async function burst(t: Awaited<ReturnType<typeof createTestInfra>>, count: number): Promise<void> {
  for (let n = 0; n < count; n += 500) {
    const some = Array.from({ length: Math.min(500, count - n) }, (_, at) =>
      t.infra.servers.register({ name: `s-${String(n + at)}`, dockerImageUrl: 'mcp/a' }),
    );
    await Promise.all(some);
  }
}

it('hears of each event of a burst once, though the bus brings all of them again later', async () => {
  const brought: Event[] = [];
  const bus = memoryEventBus();
  const publish = bus.publish.bind(bus);
  const forgetful: EventBus = bus;
  forgetful.publish = async (events, options) => {
    brought.push(...events);
    await publish(events, options);
  };
  await using t = await createTestInfra({ events: forgetful });
  const heard: number[] = [];
  t.infra.events.on('*', ({ position }) => void heard.push(position));
  await burst(t, 6_000);
  await t.settle();
  await publish(brought);
  await t.advance(10_000);
  expect(heard).toHaveLength(6_000);
  expect(new Set(heard).size).toBe(6_000);
});

it('calls a listener that takes its time for so many events at once and no more, and each in its turn', async () => {
  await using t = await createTestInfra({ store: memoryStore() });
  let now = 0;
  let most = 0;
  let ends: (() => void)[] = [];
  const handled: number[] = [];
  t.infra.events.on('*', async ({ position }) => {
    now += 1;
    most = Math.max(most, now);
    handled.push(position);
    await new Promise<void>((resolve) => ends.push(resolve));
    now -= 1;
  });
  await burst(t, 1_000);
  await t.settle();
  while (ends.length > 0) {
    const some = ends;
    ends = [];
    for (const end of some) end();
    await t.settle();
  }
  expect(most).toBe(256);
  expect(handled).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
});
