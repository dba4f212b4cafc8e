import { expect, it } from 'vitest';
import { FairSlots } from '../../async/fair-slots.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import { manualClock } from '../../testing/manual-clock.js';
import { inTurn, longWaitMs } from './waiting-in-line.js';

const key = { group: 'engine', share: '' };

/** A promise that others settle. */
function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

it('hands on the failure of work whose turn came while the long wait for it was being written', async () => {
  const clock = manualClock();
  const slots = new FairSlots(1, clock);
  const first = deferred();
  const written = deferred();
  const holding = slots.run(key, () => first.promise);
  const reconcile: ReconcileContext = {
    signal: new AbortController().signal,
    waiting: (work) => work(new AbortController().signal),
    enter: async () => undefined,
    leave: () => undefined,
  };
  const isLong = () => written.promise;
  const worked = inTurn({ slots, key, clock, reconcile, isLong }, () => Promise.reject(new Error('no room')));
  const outcome = expect(worked).rejects.toThrow('no room');
  const unheard: unknown[] = [];
  const note = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', note);
  try {
    await clock.advance(longWaitMs);
    first.resolve();
    await holding;
    await clock.advance(0);
    written.resolve();
    await outcome;
  } finally {
    process.off('unhandledRejection', note);
  }
  expect(unheard).toEqual([]);
});
