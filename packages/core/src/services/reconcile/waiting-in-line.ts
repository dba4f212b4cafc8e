import type { FairSlots, SlotKey } from '../../async/fair-slots.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import { sleep } from '../../async/sleep.js';
import type { Timers } from '../../async/timers.js';

/** Who waits for a slot, and how that is told. */
export interface WaitingInLine {
  readonly slots: FairSlots;
  readonly key: SlotKey;
  readonly clock: Timers;
  readonly reconcile: ReconcileContext;
  /** Told once when the wait is long, with how many stood before it. */
  readonly isLong: (before: number) => Promise<void>;
}

/** A wait this long, in milliseconds, is told. */
export const longWaitMs = 1_000;

/**
 * Runs work of a pass in a slot. While it stands in line it keeps no other instance from being acted on, and news ends it.
 *
 * @throws as the work, or `ABORTED` while it waits
 */
export async function inTurn<T>(line: WaitingInLine, work: () => Promise<T>): Promise<T> {
  const { slots, key, clock, reconcile } = line;
  const before = slots.inUse(key.group) + slots.waiting(key.group);
  const leaving = new AbortController();
  const short = new AbortController();
  const turn = { begun: false };
  let enter: () => void = () => undefined;
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const done = slots.run(
    key,
    () => {
      turn.begun = true;
      enter();
      return work();
    },
    leaving.signal,
  );
  // It may fail while something else is waited for here; whoever called hears of it by what is returned.
  done.catch(() => undefined);
  try {
    if (!turn.begun) {
      const long = sleep(clock, longWaitMs, short.signal);
      await reconcile.waiting(() => Promise.race([entered, long]));
    }
    if (!turn.begun) {
      await line.isLong(before);
      await reconcile.waiting(() => entered);
    }
  } catch (error) {
    // What has begun meanwhile is not left alone.
    if (!turn.begun) {
      leaving.abort();
      throw error;
    }
  } finally {
    short.abort();
  }
  return done;
}
