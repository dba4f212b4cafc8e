import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import type { Clock } from '../ports/clock.js';

/** How long work may take, and who else may end it. */
export interface DeadlineOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signals?: readonly (AbortSignal | undefined)[];
  /** Makes the error of a deadline that passed. */
  readonly expired: () => MCPInfraError;
}

/**
 * Runs work that ends when its deadline passes or one of the signals aborts, whichever is first.
 *
 * The work is given a signal that is aborted with the error the caller gets; what it does afterwards is not waited for.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, timeoutMs, signals = [], expired } = options;
  const controller = new AbortController();
  const listened = signals.filter((signal) => signal !== undefined);
  const onAbort = (): void => {
    const aborted = listened.find((signal) => signal.aborted);
    if (aborted !== undefined) controller.abort(abortError(aborted));
  };
  onAbort();
  controller.signal.throwIfAborted();
  for (const signal of listened) signal.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.schedule(timeoutMs, () => controller.abort(expired()));
  try {
    return await untilAborted(work(controller.signal), controller.signal);
  } finally {
    cancel();
    for (const signal of listened) signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for a promise that others wait for too; an abort ends the wait only. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Makes the error of an aborted signal: its reason where that is one of ours. */
export function abortError(signal: AbortSignal): MCPInfraError {
  const reason: unknown = signal.reason;
  if (MCPInfraError.isInstance(reason)) return reason;
  return mcpError('ABORTED', 'The caller ended the call by its signal.', { cause: reason });
}
