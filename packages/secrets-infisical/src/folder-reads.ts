import { type Clock, orAborted } from '@mcpinfra/core/plugin';
import type { FolderSecrets } from './read-folder.js';

type Read = (signal: AbortSignal) => Promise<FolderSecrets>;

/** One request for the secrets of a folder, and who waits for it. */
interface Flight {
  readonly result: Promise<FolderSecrets>;
  readonly given: AbortController;
  waiting: number;
  /** Whether it is on its way: what it brings may be older than a wish that comes now. */
  isSent: boolean;
}

interface Kept {
  readonly secrets: FolderSecrets;
  readonly untilMs: number;
}

/**
 * Reads folders, each by one request for all who ask at the same time, and keeps what it read for as long as it may.
 *
 * Who asks while a request is on its way shares the next one, which is sent when that one has ended: a change that was
 * made before somebody asked is never missed.
 */
export class FolderReads {
  readonly #ttlMs: number;
  readonly #maxFolders: number;
  readonly #clock: Clock;
  readonly #flights = new Map<string, Flight>();
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();

  constructor(cache: { readonly ttlMs: number; readonly maxFolders: number; readonly clock: Clock }) {
    this.#ttlMs = cache.ttlMs;
    this.#maxFolders = cache.maxFolders;
    this.#clock = cache.clock;
  }

  /** Gives the secrets of a folder. An abort ends the wait, and the request when nobody else waits for it. */
  async get(key: string, signal: AbortSignal, read: Read): Promise<FolderSecrets> {
    const kept = this.#kept.get(key);
    if (kept && this.#clock.monotonicMs() < kept.untilMs) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept.secrets;
    }
    const last = this.#flights.get(key);
    const flight =
      last && !last.isSent && !last.given.signal.aborted ? last : this.#depart(key, { last, read });
    flight.waiting += 1;
    try {
      return await orAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.given.abort();
    }
  }

  /** Lets go of what was read of a folder, and lets nobody share what is being read. */
  forget(key: string): void {
    this.#kept.delete(key);
    this.#flights.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }

  #depart(key: string, { last, read }: { readonly last: Flight | undefined; readonly read: Read }): Flight {
    const given = new AbortController();
    const flight: Flight = {
      given,
      waiting: 0,
      isSent: false,
      result: Promise.allSettled([last?.result]).then(async () => {
        flight.isSent = true;
        return read(given.signal);
      }),
    };
    this.#flights.set(key, flight);
    const settle = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then((secrets) => {
      // After a change, or after another request has been asked for, this one is old news.
      if (this.#flights.get(key) === flight) this.#keep(key, secrets);
      settle();
    }, settle);
    return flight;
  }

  #keep(key: string, secrets: FolderSecrets): void {
    if (this.#ttlMs === 0) return;
    this.#kept.delete(key);
    this.#kept.set(key, { secrets, untilMs: this.#clock.monotonicMs() + this.#ttlMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#maxFolders && oldest !== undefined) this.#kept.delete(oldest);
  }
}
