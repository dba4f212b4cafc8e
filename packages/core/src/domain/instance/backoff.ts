/** The shape of the waits between restarts, in milliseconds. */
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
