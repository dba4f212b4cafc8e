import { Layer } from '../memory-store/layer.js';
import { rowsToJson } from './rows-json.js';
import { formatVersion, type StoreHead } from './store-head.js';

// What is made of this many blocks the process for a few milliseconds.
const rowsPerRecord = 32;
const eventsPerRecord = 256;

/**
 * Gives the records that a file begins with, which hold everything that is committed at the time of the call.
 *
 * They are made one at a time as they are asked for, so that commands run in between; rows never change, only which there
 * are, so a list of them is copy enough.
 */
export function snapshotRecords(head: StoreHead, rows: Layer): Iterable<object> {
  const numbers = new Layer();
  rows.marks.mergeInto(numbers.marks);
  rows.counters.mergeInto(numbers.counters);
  rows.cursors.mergeInto(numbers.cursors);
  rows.deadLetters.mergeInto(numbers.deadLetters);
  return records(head, {
    numbers,
    servers: [...rows.servers.changes()],
    instances: [...rows.instances.changes()],
    events: [...rows.events.changes()],
  });
}

type Entries<Table extends 'servers' | 'instances' | 'events'> =
  ReturnType<Layer[Table]['changes']> extends Iterable<infer Entry> ? readonly Entry[] : never;

interface Copy {
  readonly numbers: Layer;
  readonly servers: Entries<'servers'>;
  readonly instances: Entries<'instances'>;
  readonly events: Entries<'events'>;
}

function* records({ storeId, fleet }: StoreHead, copy: Copy): Generator<object> {
  yield { format_version: formatVersion, store_id: storeId, fleet };
  yield rowsToJson(copy.numbers);
  for (const part of parts(copy.servers, rowsPerRecord)) {
    const layer = new Layer();
    for (const [id, row] of part) if (row) layer.servers.set(id, row);
    yield rowsToJson(layer);
  }
  for (const part of parts(copy.instances, rowsPerRecord)) {
    const layer = new Layer();
    for (const [id, row] of part) if (row) layer.instances.set(id, row);
    yield rowsToJson(layer);
  }
  for (const part of parts(copy.events, eventsPerRecord)) {
    const layer = new Layer();
    for (const [at, event] of part) if (event) layer.events.set(at, event);
    yield rowsToJson(layer);
  }
  yield { snapshot: 'complete' };
}

function* parts<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
