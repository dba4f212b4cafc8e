import { expect, it } from 'vitest';
import { systemClock } from './system-clock.js';

it('calls back after the delay and not when cancelled', async () => {
  let cancelled = true;
  systemClock.schedule(1, () => (cancelled = false))();
  const from = systemClock.monotonicMs();
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => undefined, 1000);
    systemClock.schedule(20, () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
  // Node's timers count in whole milliseconds.
  expect(systemClock.monotonicMs() - from).toBeGreaterThan(18);
  expect(cancelled).toBe(true);
});

it('does not take a delay of more than 24 days for none', async () => {
  let called = false;
  const cancel = systemClock.schedule(2 ** 32, () => (called = true));
  await new Promise((resolve) => setTimeout(resolve, 10));
  cancel();
  expect(called).toBe(false);
});

it('does not keep the process alive', () => {
  const before = process.getActiveResourcesInfo().length;
  const cancel = systemClock.schedule(600_000, () => undefined);
  expect(process.getActiveResourcesInfo()).toHaveLength(before);
  cancel();
});
