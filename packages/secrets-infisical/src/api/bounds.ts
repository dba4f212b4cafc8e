import { type Clock, orAborted, throwIfAborted, underSignals } from '@mcpinfra/core/plugin';
import { failure } from './failure.js';

/** Until when a call may go on. */
export interface Bounds {
  readonly signal: AbortSignal;
  /** The end of its time, on the monotonic clock. */
  readonly untilMs: number;
}

/** Does work that ends with any of the signals, and when its time is over. @throws `SECRET_BACKEND_FAILED`, `ABORTED` */
export async function withinBounds<T>(
  {
    timeoutMs,
    clock,
    signals,
  }: {
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly signals: readonly (AbortSignal | undefined)[];
  },
  work: (bounds: Bounds) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const untilMs = clock.monotonicMs() + timeoutMs;
  const cancel = clock.schedule(timeoutMs, () => {
    const message = `Infisical gave no whole answer within ${String(timeoutMs)} ms: see whether it is overloaded, or raise timeoutMs.`;
    deadline.abort(failure('timeout', message));
  });
  return underSignals([...signals, deadline.signal], async (signal) => {
    throwIfAborted(signal);
    try {
      return await orAborted(work({ signal, untilMs }), signal);
    } finally {
      // When one folder of a batch fails, nobody waits for the others.
      deadline.abort();
    }
  }).finally(cancel);
}

/** Waits. @throws as {@link throwIfAborted} */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  let cancel: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    cancel = clock.schedule(delayMs, resolve);
  });
  await orAborted(over, signal).finally(cancel);
}
