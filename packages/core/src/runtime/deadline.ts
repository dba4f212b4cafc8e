import { setMaxListeners } from 'node:events';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import type { MCPInfraError } from '../domain/errors/mcpinfra-error.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { abortError } from './abort.js';
import type { Clock } from '../ports/clock.js';

// Not 0 for "no limit": Node 20's getMaxListeners, which undici's fetch asks, throws on a signal that has 0.
const manyListeners = 10_000;

/** How long work may take, and what becomes of its result when it took longer. */
export interface DeadlineOptions<T> {
  readonly clock: Clock;
  /** `Infinity` for work that only its signal ends. */
  readonly timeoutMs: number;
  /** Ends the work early. */
  readonly signal?: AbortSignal | undefined;
  /** The subject of the sentence in the error: `<what> did not answer within …`. */
  readonly what: string;
  /**
   * What the error at the deadline is called.
   *
   * @defaultValue `PLUGIN_TIMEOUT`
   */
  readonly code?: ErrorCode | undefined;
  /** Given a result that nobody waits for any more, to undo it. */
  readonly onLate?: ((value: T) => void | Promise<void>) | undefined;
  /** Told when `onLate` failed. */
  readonly onLateError?: ((error: unknown) => void) | undefined;
}

/** What bounded work is given. */
export interface Bounds {
  /** Aborted when the work is given up. Made when it is first read, for many calls never do and it is not cheap. */
  readonly signal: AbortSignal;
}

/**
 * Runs work that is given up at its deadline, or at once when the signal is aborted, even if it heeds neither.
 *
 * The signal that the work is given is aborted in both cases. No listener and no timer outlives the promise.
 *
 * @throws the code of the options at the deadline; at an abort the reason of the signal when it is an error of this
 * library, `ABORTED` with the reason as cause otherwise
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: DeadlineOptions<T>,
): Promise<T> {
  return withBounds(({ signal }) => work(signal), options);
}

/** Does what {@link withDeadline} does for work that may not need its signal. */
export function withBounds<T>(work: (bounds: Bounds) => Promise<T>, options: DeadlineOptions<T>): Promise<T> {
  const { clock, timeoutMs, signal, what } = options;
  if (signal?.aborted === true) return Promise.reject(abortError(signal, what));

  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    let awaited = true;
    const release = (): void => {
      awaited = false;
      cancelTimer?.();
      stopListening?.();
    };
    const giveUp = (error: MCPInfraError): void => {
      release();
      reject(error);
      controller.abort(error);
    };

    const stopListening = signal && onAbort(signal, () => giveUp(abortError(signal, what)));
    const cancelTimer =
      timeoutMs === Infinity
        ? undefined
        : clock.schedule(timeoutMs, () => giveUp(deadlineError(what, options)));

    begin(work, controller).then(
      (value) => {
        if (awaited) {
          release();
          resolve(value);
        } else void undo(value, options);
      },
      (error: unknown) => {
        if (!awaited) return;
        release();
        // The work's own error, whatever it is: naming it is the caller's business.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handed on as it came
        reject(error);
      },
    );
  });
}

/** Calls back at the abort of a signal that is not aborted yet; returns what ends that. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  allowManyListeners(signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** Node 20 takes the eleventh call in flight under one signal for a leak, and says so on stderr. */
function allowManyListeners(signal: AbortSignal): void {
  try {
    setMaxListeners(manyListeners, signal);
  } catch {
    // A signal that is not Node's, such as jsdom's, has no such limit.
  }
}

function deadlineError(
  what: string,
  { timeoutMs, code = 'PLUGIN_TIMEOUT' }: { timeoutMs: number; code?: ErrorCode | undefined },
): MCPInfraError {
  return mcpError(
    code,
    `${what} did not answer within ${timeoutMs} ms; look whether its backend is reachable and not overloaded.`,
    { details: { timeoutMs } },
  );
}

/** Turns what is thrown at once into a rejection. */
async function begin<T>(work: (bounds: Bounds) => Promise<T>, controller: AbortController): Promise<T> {
  return work({
    get signal() {
      return controller.signal;
    },
  });
}

async function undo<T>(value: T, { onLate, onLateError }: DeadlineOptions<T>): Promise<void> {
  try {
    await onLate?.(value);
  } catch (error) {
    onLateError?.(error);
  }
}
