import { type Event, orAborted, throwIfAborted } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import { isLater } from './is-later.js';
import { encodeEvent, eventField } from './stream-entry.js';
import type { Trimmer } from './trimmer.js';

/** So many events make one round trip; more gain little and make Redis work on one connection for long. */
const batchSize = 100;

/** KEYS: the stream. ARGV: the events. Half the cost of as many commands in a pipeline, see ADR 0015. */
const add = `
local id
for _, event in ipairs(ARGV) do id = redis.call('XADD', KEYS[1], '*', '${eventField}', event) end
return id
`;

/** Adds events to the stream of the fleet. */
export class Publisher {
  readonly #connection: Connection;
  readonly #key: string;
  readonly #trimmer: Trimmer;
  readonly #pending = new Set<Promise<unknown>>();
  #lastId = '0-0';

  constructor(connection: Connection, key: string, trimmer: Trimmer) {
    this.#connection = connection;
    this.#key = key;
    this.#trimmer = trimmer;
  }

  /** The id of the latest event that Redis has accepted from here. */
  get lastId(): string {
    return this.#lastId;
  }

  /** Resolves when Redis has accepted all events. @throws `EVENT_BUS_FAILED`, `ABORTED` */
  async publish(events: readonly Event[], signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    // All batches are under way at once: one is encoded while Redis works on the one before.
    const batches: Promise<void>[] = [];
    for (let at = 0; at < events.length; at += batchSize)
      batches.push(this.#add(events.slice(at, at + batchSize)));
    const all = Promise.all(batches);
    const forget = (): boolean => this.#pending.delete(all);
    this.#pending.add(all);
    all.then(forget, forget);
    await orAborted(all, signal);
    this.#trimmer.published(events.length);
  }

  /** Waits for what is being published. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  async #add(events: readonly Event[]): Promise<void> {
    const last = await this.#connection.call('XADD', (redis) =>
      redis.eval(add, 1, this.#key, ...events.map(encodeEvent)),
    );
    if (isLater(String(last), this.#lastId)) this.#lastId = String(last);
  }
}
