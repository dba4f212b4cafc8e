import { isAborted, onAbort } from './abort.js';
import type { Timers } from './timers.js';

/** Waits for a time or until one of the signals fires, whichever is first. Never rejects. */
export function sleep(
  clock: Timers,
  delayMs: number,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<void> {
  if (signals.some(isAborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      for (const release of releases) release();
      resolve();
    };
    const releases = [
      clock.schedule(delayMs, finish),
      ...signals.flatMap((signal) => (signal ? [onAbort(signal, finish)] : [])),
    ];
  });
}
