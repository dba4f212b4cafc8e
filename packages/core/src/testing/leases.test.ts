import { expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

/** Lets so many microtasks pass. */
async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await Promise.resolve();
}

/** The leases that a process holds a minute after it asked for two, so many microtasks apart. */
async function heldAfterAMinute(apart: number): Promise<readonly string[]> {
  const clock = manualClock();
  const store = memoryStore({ clock });
  await using t = await createTestInfra({ roles: ['control'], clock, store });
  const first = t.infra.events.subscribe({ group: 'first' }, () => undefined);
  await microtasks(apart);
  const second = t.infra.events.subscribe({ group: 'second' }, () => undefined);
  await t.settle();
  await Promise.all([first, second]);
  await t.advance(60_000);
  return (await store.leases.list()).map(({ name }) => name).sort();
}

it('goes on renewing its leases, however few microtasks lie between two requests for one', async () => {
  const aparts = Array.from({ length: 61 }, (_, apart) => apart);
  const held = await Promise.all(aparts.map(heldAfterAMinute));
  const all = ['group:*/first', 'group:*/second', 'relay'];
  expect(aparts.filter((apart) => held[apart]?.join() !== all.join())).toEqual([]);
}, 30_000);
