import { throwIfAborted } from './abort.js';
import { sleep } from './sleep.js';
import type { Timers } from './timers.js';

/** The shape of the waits between tries, in milliseconds. */
export const backoff = Object.freeze({ firstMs: 1_000, longestMs: 60_000, steadyMs: 60_000 });

/**
 * How long to wait before the next try.
 *
 * The first failure is tried again at once; from the second on the wait doubles from one second up to a minute, each
 * shortened by up to a quarter so that many instances do not start together.
 *
 * @param failures - failures in a row, 1 for the first
 * @param spread - a number in [0, 1) that decides the shortening
 */
export function retryDelayMs(failures: number, spread: number): number {
  if (failures <= 1) return 0;
  const full = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures - 2, 16));
  return Math.round(full * (1 - 0.25 * spread));
}

/** How work is tried again. */
export interface RetryOptions {
  readonly clock: Timers;
  readonly signal?: AbortSignal | undefined;
  /**
   * How long to wait after so many failures in a row; `null` gives up.
   *
   * @param failures - 1 for the first
   */
  readonly delayMs: (failures: number, error: unknown) => number | null;
}

/**
 * Does work until it succeeds.
 *
 * @throws the last error of the work when it was given up; as {@link throwIfAborted} when the signal ended it
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, delayMs } = options;
  for (let failures = 1; ; failures++) {
    throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      const waitMs = delayMs(failures, error);
      if (waitMs === null) throw error;
      await sleep(clock, waitMs, signal);
    }
  }
}
