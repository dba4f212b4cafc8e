import { sleep, systemClock } from '@mcpinfra/core/plugin';

/** Waits for a promise to settle, but not for longer. Tells whether it has. */
export async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const settled = new AbortController();
  const settle = (): void => settled.abort();
  promise.then(settle, settle);
  await sleep(systemClock, timeoutMs, settled.signal);
  return settled.signal.aborted;
}
