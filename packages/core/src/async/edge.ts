import { hear } from './thenable.js';

/**
 * Wraps a callback that Node or another library calls, where nobody catches what it throws: a stream's event, a socket's,
 * a timer, a message of a transport. What it throws, at once or later, goes to `onError`, which fails whatever the
 * callback belongs to; the process goes on.
 *
 * `onError` is the last place: what it throws itself is dropped.
 */
export function edge<A extends readonly unknown[]>(
  onError: (error: unknown) => void,
  callback: (...args: A) => void | Promise<void>,
): (...args: A) => void {
  const fail = (error: unknown): void => {
    try {
      onError(error);
    } catch {
      // Nobody is left to be told.
    }
  };
  return (...args) => {
    try {
      hear(callback(...args), fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** Hears an error of a stream whose end says more; one that nobody hears ends the process. */
export function ignoreError(): void {
  // What ends is told by its end.
}
