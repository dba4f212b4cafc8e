import type { Clock } from '../ports/clock.js';

/** Reads a signal anew: TypeScript does not know that it changes between two looks. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Waits for a time or until the signal fires, whichever is first. Never rejects. */
export function sleepUntil(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.schedule(delayMs, finish);
    signal.addEventListener('abort', finish);
  });
}
