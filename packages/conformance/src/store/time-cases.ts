import assert from 'node:assert/strict';
import { storeCase } from './store-bench.js';

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u;

/** What the clock of a store is like. */
export const timeCases = [
  storeCase('time/format', 'now() is ISO 8601 in UTC with milliseconds.', async (store) => {
    assert.match(await store.now(), timestamp, 'now() is written like 2026-01-02T03:04:05.678Z');
  }),
  storeCase('time/one-clock', 'Everyone who has the data open sees one clock.', async (store, bench) => {
    const other = await bench.beside();
    const seen: string[] = [];
    for (let round = 0; round < 5; round += 1) seen.push(await store.now(), await other.now());
    assert.deepEqual(seen, seen.toSorted(), 'now() does not go back from one store to the other');
  }),
];
