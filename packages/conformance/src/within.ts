import assert from 'node:assert/strict';

/** Waits for a promise, but not for ever: fails naming what did not come in time. */
export async function within<T>(patienceMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `${what} did not settle within ${patienceMs} ms` }));
    }, patienceMs);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
