import { type Clock, sleep, throwIfAborted, underSignals, withDeadline } from '@mcpinfra/core/plugin';
import { failure } from './failure.js';

/** Until when a call may go on. */
export interface Bounds {
  readonly signal: AbortSignal;
  /** The end of its time, on the monotonic clock. */
  readonly untilMs: number;
}

/** Does work that ends with any of the signals, and when its time is over. @throws `SECRET_BACKEND_FAILED`, `ABORTED` */
export function withinBounds<T>(
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
  const untilMs = clock.monotonicMs() + timeoutMs;
  const over = new AbortController();
  return withDeadline(
    (ending) =>
      underSignals([ending, over.signal], async (signal) => {
        try {
          return await work({ signal, untilMs });
        } finally {
          // When one folder of a batch fails, nobody waits for the others.
          over.abort();
        }
      }),
    {
      clock,
      timeoutMs,
      signals,
      expired: () =>
        failure(
          'timeout',
          `Infisical gave no whole answer within ${String(timeoutMs)} ms: see whether it is overloaded, or raise timeoutMs.`,
        ),
    },
  );
}

/** Waits. @throws as {@link throwIfAborted} */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  await sleep(clock, delayMs, signal);
  throwIfAborted(signal);
}
