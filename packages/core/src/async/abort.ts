import { setMaxListeners } from 'node:events';
import { mcpError, MCPInfraError } from '../domain/errors/mcpinfra-error.js';

// Not 0 for "no limit": Node 20's getMaxListeners, which undici's fetch asks, throws on a signal that has 0.
const manyListeners = 10_000;

/** Refuses to go on after an abort. @throws the reason when it is an error of the library, else `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Reads a signal anew: TypeScript does not know that it changes between two looks. */
export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Makes the error that stands for an aborted signal: its reason when that is ours, else `ABORTED` caused by it. */
export function abortError(signal: AbortSignal, what = 'The call'): MCPInfraError {
  const reason: unknown = signal.reason;
  if (MCPInfraError.isInstance(reason)) return reason;
  return mcpError('ABORTED', `${what} was ended by its signal before it was done; call again to retry.`, {
    cause: reason,
  });
}

/** Calls back at the abort of a signal that is not aborted yet; returns what ends that. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  allowManyListeners(signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * Waits for a promise that others may wait for too, or for an abort, whichever comes first; an abort ends the wait only.
 *
 * @throws as {@link throwIfAborted}
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      // Whoever gives a promise away no longer hears it fail.
      promise.catch(() => undefined);
      reject(abortError(signal));
      return;
    }
    const stopListening = onAbort(signal, () => reject(abortError(signal)));
    promise.then(
      (value) => {
        stopListening();
        resolve(value);
      },
      (error: unknown) => {
        stopListening();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handed on as it came
        reject(error);
      },
    );
  });
}

/** A signal made of others, and what lets go of them. */
export interface JoinedSignal {
  /** Aborted with the first of those it was made of, with that one's reason. */
  readonly signal: AbortSignal;
  /** Ends the listening. To be called when what the signal was made for is over. */
  readonly release: () => void;
}

/**
 * Makes a signal that is aborted with any of those given, until it is released.
 *
 * In place of `AbortSignal.any`, which leaves a trace of every call on a signal that lives as long as its owner.
 */
export function joinSignals(signals: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const controller = new AbortController();
  const releases: (() => void)[] = [];
  for (const signal of signals) {
    if (!signal) continue;
    if (signal.aborted) {
      controller.abort(signal.reason);
      break;
    }
    releases.push(onAbort(signal, () => controller.abort(signal.reason)));
  }
  return {
    signal: controller.signal,
    release: () => {
      for (const release of releases.splice(0)) release();
    },
  };
}

/** Runs work under a signal that is aborted with any of those given. Nothing of it outlives the work. */
export async function underSignals<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = joinSignals(signals);
  try {
    return await work(signal);
  } finally {
    release();
  }
}

/** Node 20 takes the eleventh call in flight under one signal for a leak, and says so on stderr. */
function allowManyListeners(signal: AbortSignal): void {
  try {
    setMaxListeners(manyListeners, signal);
  } catch {
    // A signal that is not Node's, such as jsdom's, has no such limit.
  }
}
