import type { MCPInfraError } from '../domain/errors/mcpinfra-error.js';
import { abortError, onAbort } from './abort.js';
import type { Timers } from './timers.js';

/** How long work may take, and what becomes of its result when it took longer. */
export interface DeadlineOptions<T> {
  readonly clock: Timers;
  /** `Infinity` for work that only its signals end. */
  readonly timeoutMs: number;
  /** Each ends the work early. */
  readonly signals?: readonly (AbortSignal | undefined)[] | undefined;
  /** Makes the error of a deadline that passed. */
  readonly expired: () => MCPInfraError;
  /** The subject of the sentence in the error of an abort. */
  readonly what?: string | undefined;
  /** Given a result that nobody waits for any more, to undo it. */
  readonly onLate?: ((value: T) => void | Promise<void>) | undefined;
  /** Told when `onLate` failed. */
  readonly onLateError?: ((error: unknown) => void) | undefined;
}

/** How work is bounded that somebody ends with much else. */
export interface BoundsOptions<T> extends DeadlineOptions<T> {
  /** Holds what ends the work early, as long as it goes on: for one who ends many at once, cheaper than a signal. */
  readonly underway?: Set<(error: MCPInfraError) => void> | undefined;
}

/** What bounded work is given. */
export interface Bounds {
  /** Aborted when the work is given up. Made when it is first read, for many calls never do and it is not cheap. */
  readonly signal: AbortSignal;
}

/**
 * Runs work that is given up at its deadline, or at once when a signal is aborted, even if it heeds neither.
 *
 * The signal that the work is given is aborted in both cases, with the error that the caller gets. No listener and no
 * timer outlives the promise; what the work does afterwards is not waited for.
 *
 * @throws what `expired` makes at the deadline; at an abort the reason of the signal when it is an error of this
 * library, `ABORTED` with the reason as cause otherwise
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: DeadlineOptions<T>,
): Promise<T> {
  return withBounds(({ signal }) => work(signal), options);
}

/** Does what {@link withDeadline} does for work that may not need its signal. */
export function withBounds<T>(work: (bounds: Bounds) => Promise<T>, options: BoundsOptions<T>): Promise<T> {
  const { clock, timeoutMs, signals = [], underway, what, expired } = options;
  const aborted = signals.find((signal) => signal?.aborted === true);
  if (aborted) return Promise.reject(abortError(aborted, what));

  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    const releases: (() => void)[] = [];
    let awaited = true;
    const release = (): void => {
      awaited = false;
      for (const end of releases.splice(0)) end();
    };
    const giveUp = (error: MCPInfraError): void => {
      release();
      reject(error);
      controller.abort(error);
    };

    for (const signal of signals) {
      if (signal) releases.push(onAbort(signal, () => giveUp(abortError(signal, what))));
    }
    if (underway) {
      underway.add(giveUp);
      releases.push(() => underway.delete(giveUp));
    }
    if (timeoutMs !== Infinity) releases.push(clock.schedule(timeoutMs, () => giveUp(expired())));

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
