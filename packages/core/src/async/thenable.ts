/** Whether a value is a promise, or is awaited like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/**
 * Hears what a callback gave back to its end, so that its rejection does not end the process. A promise of another realm,
 * such as a test runner's `vm` context, is none of our `Promise`, and would do so all the same.
 */
export function hear(given: unknown, onRejected: (error: unknown) => void = () => undefined): void {
  if (isThenable(given)) void Promise.resolve(given).then(undefined, onRejected);
}
