import type { Clock } from '../plugin.js';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward, calling back what becomes due in order of time. Between two callbacks, and before the first and
   * after the last, what they set going gets to settle.
   *
   * @param settled - resolves when it has settled; left out, some turns of the event loop are waited for
   */
  advance(ms: number, settled?: () => Promise<void>): Promise<void>;
  /** How many callbacks are scheduled. */
  readonly pending: number;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Promise chains end within one turn of the event loop; the others are for what yields a turn itself. */
const settlingTurns = 10;

/** Makes a clock that only `advance` moves. `monotonicMs` starts at 0, `now` at `startMs`. */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsedMs = 0;
  /** In order of time; what is due at the same time in order of scheduling. */
  const timers: Timer[] = [];

  return {
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    schedule(delayMs, callback) {
      const timer = { dueMs: elapsedMs + Math.max(0, delayMs), callback };
      timers.splice(timers.findLastIndex(({ dueMs }) => dueMs <= timer.dueMs) + 1, 0, timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index !== -1) timers.splice(index, 1);
      };
    },
    async advance(ms, settled = someTurns) {
      const untilMs = elapsedMs + ms;
      await settled();
      for (let next = timers[0]; next !== undefined && next.dueMs <= untilMs; next = timers[0]) {
        timers.shift();
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.callback();
        await settled();
      }
      elapsedMs = Math.max(elapsedMs, untilMs);
    },
    get pending() {
      return timers.length;
    },
  };
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < settlingTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
