import { performance } from 'node:perf_hooks';
import { OptionChecks } from '../plugin-essentials.js';
import type { Clock, Store } from '../plugin.js';
import { memoryBacking, type Backing } from './memory-store/backing.js';
import { InMemoryStore } from './memory-store/in-memory-store.js';

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Where the store is kept as lines of JSON, so that it outlives the process. One process at a time may use it; a killed
   * one lets go of it. Processes of several machines belong on another store.
   *
   * @defaultValue nowhere: everything ends with the process
   */
  readonly file?: string | undefined;
  /**
   * The name of the fleet: letters, digits, `.`, `_` and `-`, at most 63.
   *
   * @defaultValue a name that tells which process owned it, or with `file` one that is made once and kept in it
   */
  readonly fleet?: string | undefined;
  /** How many numbered events are kept for those who read from a cursor. @defaultValue 10000 */
  readonly eventRetention?: number | undefined;
  /** Decides on the expiry of leases. @defaultValue the machine's clock */
  readonly clock?: Pick<Clock, 'now' | 'monotonicMs'> | undefined;
}

const check = new OptionChecks('memoryStore');

/**
 * Makes a store in this process's memory, with `file` one that outlives it.
 *
 * With a file, a write resolves when it is on disk, and costs what it changes; writes that come together share one sync. A
 * read waits for the writes before it. Leases are not kept: a process that starts finds them free.
 *
 * @throws `INVALID_OPTIONS`
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { file, fleet, eventRetention = 10_000, clock } = options;
  check.known(options, ['file', 'fleet', 'eventRetention', 'clock']);
  if (file !== undefined) check.text('file', file);
  if (fleet !== undefined) check.fleet('fleet', fleet);
  check.whole('eventRetention', eventRetention);
  return new InMemoryStore({
    backing: file === undefined ? memoryBacking(fleet) : lazyFileBacking(file, fleet),
    clock: clock ?? { now: () => Date.now(), monotonicMs: () => performance.now() },
    eventRetention,
  });
}

/** The codecs of the document bring zod, which those without a file need not load. */
function lazyFileBacking(file: string, fleet: string | undefined): Backing {
  return {
    async open(applied) {
      const { fileBacking } = await import('./file-backing/file-backing.js');
      return fileBacking(file, fleet).open(applied);
    },
  };
}
