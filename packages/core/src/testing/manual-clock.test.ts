import { expect, it } from 'vitest';
import { manualClock } from './manual-clock.js';

it('stands still until it is advanced', async () => {
  const clock = manualClock(1000);
  expect([clock.now(), clock.monotonicMs()]).toEqual([1000, 0]);
  await clock.advance(25);
  expect([clock.now(), clock.monotonicMs()]).toEqual([1025, 25]);
});

it('calls back in order of time, each at its own time', async () => {
  const clock = manualClock();
  const calls: string[] = [];
  const note = (name: string) => () => calls.push(`${name}@${clock.monotonicMs()}`);
  clock.schedule(20, note('late'));
  clock.schedule(10, note('first'));
  clock.schedule(10, note('second'));
  clock.schedule(31, note('too late'));
  const cancel = clock.schedule(15, note('cancelled'));
  cancel();
  cancel();
  await clock.advance(30);
  expect(calls).toEqual(['first@10', 'second@10', 'late@20']);
  expect(clock.pending).toBe(1);
});

it('lets promises settle between callbacks, and calls back what they schedule within the time', async () => {
  const clock = manualClock();
  const calls: string[] = [];
  clock.schedule(10, () => {
    void (async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      calls.push('settled');
      clock.schedule(5, () => calls.push(`follow-up@${clock.monotonicMs()}`));
    })();
  });
  clock.schedule(12, () => calls.push('second'));
  await clock.advance(15);
  expect(calls).toEqual(['settled', 'second', 'follow-up@15']);
});
