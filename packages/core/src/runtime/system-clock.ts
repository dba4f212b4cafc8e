import type { Clock } from '../ports/clock.js';

/** Node calls back at once what is scheduled further ahead than this. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      timer =
        remainingMs > longestTimerMs
          ? setTimeout(() => arm(remainingMs - longestTimerMs), longestTimerMs)
          : setTimeout(callback, Math.max(0, Math.ceil(remainingMs)));
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
});
