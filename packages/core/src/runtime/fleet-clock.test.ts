import { expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.js';
import { FleetClock } from './fleet-clock.js';

const store = (clock: { now(): number }) => ({ now: async () => new Date(clock.now()).toISOString() });

it('tells the time of the store, whatever the machine says', async () => {
  const machine = manualClock(Date.UTC(2030, 0, 1));
  const right = manualClock(Date.UTC(2026, 0, 1));
  const clock = new FleetClock(machine);
  await clock.align(store(right));
  expect(clock.now()).toBe(right.now());
  await machine.advance(5_000);
  expect(clock.now()).toBe(right.now() + 5_000);
  expect(clock.monotonicMs()).toBe(5_000);
});

it('does not jitter with differences that the trip may have made', async () => {
  const machine = manualClock(1_000_000);
  const clock = new FleetClock(machine);
  await clock.align(store(manualClock(1_000_040)));
  expect(clock.now()).toBe(1_000_000);
  await clock.align(store(manualClock(1_000_080)));
  expect(clock.now()).toBe(1_000_080);
});
