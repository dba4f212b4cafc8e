import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { edge } from './edge.js';
import { hear, isThenable } from './thenable.js';

/** As a test runner's context makes it. */
const foreign = (): Promise<void> => runInNewContext(`Promise.reject(new Error('down'))`) as Promise<void>;

it('hears a rejection whatever made the promise', async () => {
  const told = vi.fn<(error: unknown) => void>();
  for (const given of [Promise.reject(new Error('down')), foreign()]) hear(given, told);
  edge(told, foreign)();
  await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(3));
  for (const [error] of told.mock.calls) expect(String(error)).toBe('Error: down');
});

it.each([undefined, null, 3, 'then', {}, () => undefined])('leaves %o alone', (given) => {
  expect(isThenable(given)).toBe(false);
  expect(() => hear(given)).not.toThrow();
});
