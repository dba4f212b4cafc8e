import type { Clock } from '../ports/clock.js';

/** Node calls back at once what is scheduled further ahead than this. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = machineClock((timer) => timer.unref());

/** The machine's clock for what is to be finished before the process ends: its timers keep the process alive. */
export const finishingClock: Clock = machineClock(() => undefined);

function machineClock(armed: (timer: NodeJS.Timeout) => void): Clock {
  return Object.freeze({
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    schedule(delayMs: number, callback: () => void): () => void {
      let timer: NodeJS.Timeout;
      const arm = (remainingMs: number): void => {
        timer =
          remainingMs > longestTimerMs
            ? setTimeout(() => arm(remainingMs - longestTimerMs), longestTimerMs)
            : setTimeout(callback, Math.max(0, Math.ceil(remainingMs)));
        armed(timer);
      };
      arm(delayMs);
      return () => clearTimeout(timer);
    },
  });
}
