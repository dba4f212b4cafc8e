import type { ManualClock } from './manual-clock.js';

/** Never answers. */
export const hangs = (): Promise<never> => new Promise(() => undefined);

/** Moves a clock in small steps until a promise has settled; says how far that was. */
export async function untilSettled(
  clock: ManualClock,
  promise: Promise<unknown>,
  longestMs = 120_000,
): Promise<number> {
  const startMs = clock.monotonicMs();
  const pending = new Set([promise]);
  const end = (): void => void pending.delete(promise);
  promise.then(end, end);
  await clock.advance(0);
  while (pending.size > 0 && clock.monotonicMs() - startMs < longestMs) {
    await clock.advance(100);
    // Modules are read on first use, which takes real time.
    // eslint-disable-next-line no-restricted-globals -- of the real clock, which is no part of what is tested
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await clock.advance(0);
  return pending.size > 0 ? Infinity : clock.monotonicMs() - startMs;
}
