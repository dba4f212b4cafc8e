import { startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it } from 'vitest';
import { exampleEvent, exampleEvents, partsOf } from './support/example-event.js';
import { eventually, Fleet, inboxOf } from './support/fleet.js';

const redis = serviceOrSkip(startRedis);
const group = 'workers';

// Redis cuts off whole blocks of 100 entries.
const slack = 100;

it('keeps about as many events as it is told to', async () => {
  const fleet = new Fleet(redis().url);
  const bus = await fleet.bus({ maxEvents: 500 });
  await bus.publish(exampleEvents('many', 3_000));
  await bus.publish(exampleEvents('more', 1_000));
  await eventually(() => fleet.redis.xlen(fleet.events)).toBeLessThanOrEqual(500 + slack);
  expect(await fleet.redis.xlen(fleet.events)).toBeGreaterThanOrEqual(500);
});

it('keeps what a group has not acknowledged, or not even read, beyond that', async () => {
  const fleet = new Fleet(redis().url);
  const bus = await fleet.bus({ maxEvents: 200, claimIdleMs: 100 });
  for (const name of [group, 'asleep']) (await bus.subscribe({ group: name }, () => {}))();
  await bus.publish([exampleEvent('pending')]);
  await fleet.readAsDead(group);
  const rest = exampleEvents('later', 3_000);
  await bus.publish(rest);
  await bus.publish(exampleEvents('trigger', 1_000));
  const [workers, asleep] = [await inboxOf(bus, { group }), await inboxOf(bus, { group: 'asleep' })];
  await eventually(() => [workers.length, asleep.length]).toEqual([4_001, 4_001]);
  expect(partsOf(workers)).toContain('pending');
  await eventually(() => fleet.pending(group)).toEqual([]);
  // Handled by all, it is history like the rest.
  await bus.publish(exampleEvents('trigger', 1_000));
  await eventually(async () => (await fleet.redis.xlen(fleet.events)) <= 1_000 + slack).toBe(true);
});

it('keeps it no longer than it is told to, so that a group nobody reads any more does not fill Redis', async () => {
  const fleet = new Fleet(redis().url);
  const bus = await fleet.bus({ maxAgeMs: 1, maxUnhandledAgeMs: 1_000 });
  (await bus.subscribe({ group }, () => {}))();
  await bus.publish(exampleEvents('old', 2_000));
  const [first] = await fleet.redis.xrange(fleet.events, '-', '+', 'COUNT', 1);
  await eventually(async () => {
    await bus.publish(exampleEvents('trigger', 1_000));
    const [oldest] = await fleet.redis.xrange(fleet.events, '-', '+', 'COUNT', 1);
    return oldest?.[0] !== first?.[0];
  }).toBe(true);
});
