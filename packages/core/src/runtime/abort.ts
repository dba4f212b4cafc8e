import { mcpError, MCPInfraError } from '../domain/errors/mcpinfra-error.js';

/** Refuses to go on after an abort. @throws the reason when it is an error of the library, else `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Waits for a promise or an abort, whichever comes first. @throws as {@link throwIfAborted} */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let release: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    release = () => signal.removeEventListener('abort', onAbort);
  });
  return Promise.race([aborted, promise]).finally(release);
}

/** Runs work under a signal that is aborted with any of those given. Nothing of it outlives the work. */
export async function underSignals<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // AbortSignal.any would leave a trace of every call on a signal that lives as long as the provider.
  const controller = new AbortController();
  const releases = signals.map((signal) => {
    const abort = (): void => controller.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort);
    return () => signal?.removeEventListener('abort', abort);
  });
  return work(controller.signal).finally(() => {
    for (const release of releases) release();
  });
}

/** Makes the error that stands for an aborted signal: its reason when that is ours, else `ABORTED` caused by it. */
export function abortError(signal: AbortSignal, what = 'The call'): MCPInfraError {
  const reason: unknown = signal.reason;
  if (MCPInfraError.isInstance(reason)) return reason;
  return mcpError('ABORTED', `${what} was ended by its signal before it was done; call again to retry.`, {
    cause: reason,
  });
}
