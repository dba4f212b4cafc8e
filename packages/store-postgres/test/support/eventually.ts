import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is not `undefined`; a failure counts as none. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 20_000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`waited in vain for ${what}`, { cause: last });
}
