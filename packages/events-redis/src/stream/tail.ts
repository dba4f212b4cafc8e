import {
  Changes,
  type Event,
  type EventHandler,
  messageOf,
  orAborted,
  type PartReport,
  sleep,
  systemClock,
} from '@mcpinfra/core/plugin';
import { isRefusal } from '../connection/is-refusal.js';
import type { Connection } from '../connection/connection.js';
import { isLater } from './is-later.js';
import { readEntry, type StreamEntry } from './stream-entry.js';

const read = { count: 100, blockMs: 2_000, retryMs: 200 };

interface Listener {
  readonly wanted: ReadonlySet<string>;
  readonly handler: EventHandler;
  /** What is not later was there before it; unknown when Redis was away then. */
  readonly since: string | undefined;
}

/** What a {@link Tail} needs besides its connection. */
export interface TailOptions {
  readonly key: string;
  /** How many handlers may be under way before it reads on. */
  readonly concurrency: number;
  readonly report: PartReport;
}

/** Reads the stream as it grows, for all subscribers of this process that are in no group. */
export class Tail {
  readonly #connection: Connection;
  readonly #key: string;
  readonly #concurrency: number;
  readonly #report: PartReport;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<Listener>();
  readonly #deliveries = new Set<Promise<void>>();
  readonly #moved = new Changes();
  #isReading = false;
  #position: string | undefined;

  constructor(connection: Connection, { key, concurrency, report }: TailOptions) {
    this.#connection = connection;
    this.#key = key;
    this.#concurrency = concurrency;
    this.#report = report;
  }

  /** Whether Redis is there for what it reads, if anything. */
  get isReady(): boolean {
    return !this.#isReading || this.#connection.isReady;
  }

  /** Adds a subscriber; the first one makes it read, from where that one begins. */
  join(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (!this.#isReading) {
      this.#isReading = true;
      this.#position = listener.since;
      void this.#connection.open().then(() => this.#run());
    }
    return () => this.#listeners.delete(listener);
  }

  /** Waits until everything up to an id has been handed to the subscribers, and for their handlers. */
  async drain(until: string): Promise<void> {
    while (this.#connection.isReady && isLater(until, this.#position ?? '0-0')) {
      await this.#moved.next();
    }
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
  }

  /** Stops at once: no handler is called any more. */
  end(): void {
    this.#listeners.clear();
    this.#ended.abort();
    this.#connection.close();
    this.#moved.tell();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    let epoch = -1;
    while (!signal.aborted) {
      try {
        await this.#connection.whenReady(signal);
        if (epoch !== this.#connection.epoch) {
          epoch = this.#connection.epoch;
          await this.#findPosition();
        }
        await this.#untilRoom();
        await this.#readOnce();
        this.#report('reading', true);
      } catch (error) {
        if (isRefusal(error))
          this.#report('reading', false, `Events of other processes come late: ${messageOf(error)}`);
        // Subscribers wait for Redis to come back for as long as it takes.
        this.#moved.tell();
        await sleep(systemClock, read.retryMs, signal);
      }
    }
  }

  /**
   * A stream that ends before the position has lost its end, or all: by a crash, or as a replica's that lagged behind. What
   * comes next is new; what is left is not, and to begin with that would tell everything again.
   */
  async #findPosition(): Promise<void> {
    const end = await lastId(this.#connection, this.#key, this.#ended.signal);
    if (this.#position === undefined) this.#position = end;
    else if (isLater(this.#position, end)) this.#position = end;
  }

  /** Reads no more than the handlers can bear: what is not read yet waits in Redis. */
  async #untilRoom(): Promise<void> {
    const ended = this.#ended.signal;
    while (this.#deliveries.size >= this.#concurrency) {
      await orAborted(Promise.race(this.#deliveries), ended);
    }
  }

  async #readOnce(): Promise<void> {
    const { blockMs } = read;
    // A handler is wanted for each of them by each subscriber, at most.
    const room = Math.ceil((this.#concurrency - this.#deliveries.size) / Math.max(1, this.#listeners.size));
    const count = Math.min(read.count, room);
    const position = this.#position ?? '0-0';
    const streams = await this.#connection.call(
      'XREAD',
      (redis) => redis.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', this.#key, position),
      { signal: this.#ended.signal, blockMs },
    );
    for (const entry of (streams?.[0]?.[1] ?? []) as readonly StreamEntry[]) {
      this.#hand(entry);
      this.#position = entry[0];
    }
    this.#moved.tell();
  }

  #hand([id, fields]: StreamEntry): void {
    if (this.#listeners.size === 0) return;
    // One that cannot be read is for the groups to put away.
    const content = readEntry(fields ?? []);
    if (content.kind !== 'event') return;
    for (const { wanted, handler, since } of this.#listeners) {
      const isNew = since === undefined || isLater(id, since);
      if (isNew && wanted.has(content.event.type)) this.#deliver(handler, content.event);
    }
  }

  #deliver(handler: EventHandler, event: Event): void {
    const delivery = Promise.resolve(event)
      .then(handler)
      .catch(() => undefined)
      .finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
  }
}

/** The id of the last entry; `0-0` when there is none. */
export async function lastId(
  connection: Connection,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const [last] = await connection.call('XREVRANGE', (redis) => redis.xrevrange(key, '+', '-', 'COUNT', 1), {
    signal,
  });
  return last?.[0] ?? '0-0';
}
