import {
  type CallOptions,
  edge,
  ignoreError,
  finishingClock,
  KeyedTurns,
  mcpError,
  messageOf,
  Once,
  orAborted,
  Recurring,
  sleep,
  systemClock,
  throwIfAborted,
  withDeadline,
} from '@mcpinfra/core/plugin';
import { planned, prepared, quoted } from '../sql/statement.js';
import type { Connection, NewsWire, WireListener } from './database.js';
import { SessionLending } from './lending.js';
import type { PostgresQuery, PostgresResult } from './postgres-pool.js';
import { ClientSession, type SessionOptions } from './session.js';
import { isPassing, storeError } from './store-error.js';

/** A client of `pg` with a connection. */
export interface ConnectedClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  on(event: 'notification', listener: (notification: Notification) => void): unknown;
  on(event: 'error' | 'end', listener: (error: Error) => void): unknown;
  /** Who the server says this connection is. */
  readonly processID?: number | null | undefined;
}

/** What `LISTEN` brings. */
interface Notification {
  readonly processId: number;
  readonly payload?: string | undefined;
}

/** A connection that was made, and what ends it at once. */
export interface Made {
  readonly client: ConnectedClient;
  destroy(): void;
  /** Ends it in order. */
  end(): Promise<void>;
}

/** What an {@link OwnConnection} is made of. */
export interface OwnConnectionParts extends SessionOptions {
  /** Connects; the signal ends the attempt. */
  readonly make: (signal: AbortSignal) => Promise<Made>;
  /** How long `open` tries a database that cannot be reached. */
  readonly connectTimeoutMs: number;
  /** The channel of `NOTIFY`. */
  readonly channel: string;
}

interface Live {
  readonly made: Made;
  readonly session: ClientSession;
}

const notify = prepared('select pg_notify($1::text, $2::text)');
const ping = prepared('select 1');
/** In milliseconds. */
const times = Object.freeze({
  firstRetry: 100,
  longestRetry: 2_000,
  /** Whoever holds leases has about a second to be back when all connections were cut. */
  longestUnheard: 500,
  poll: 1_000,
  grace: 1_000,
  /** A server that is gone without a word looks like one that has no news. */
  ping: 5_000,
  pong: 3_000,
});

/**
 * One connection that is not of the host's pool: leases are renewed and news heard however busy that is.
 *
 * Made when it is needed; once lost it is made anew by the next call, and by itself while somebody listens.
 */
export class OwnConnection extends SessionLending implements Connection, NewsWire {
  readonly #parts: OwnConnectionParts;
  readonly #ended = new AbortController();
  readonly #turns = new KeyedTurns();
  readonly #live: Once<Live>;
  readonly #polling: Recurring;
  #current: Live | undefined;
  #listener: WireListener | undefined;
  #isSilent = false;
  #listening: Promise<void> | undefined;

  constructor(parts: OwnConnectionParts) {
    super();
    this.#parts = parts;
    this.#live = new Once(() => this.#make());
    this.#polling = new Recurring({
      clock: systemClock,
      retryMs: times.poll,
      work: async () => {
        if (this.#isSilent) this.#listener?.onSilence();
        return times.poll;
      },
      failed: () => undefined,
    });
  }

  /** Connects; tries again for a while where the database is not there yet. */
  async open(options?: CallOptions): Promise<void> {
    const deadline = performance.now() + this.#parts.connectTimeoutMs;
    for (let waitMs: number = times.firstRetry; ; waitMs = Math.min(waitMs * 2, times.longestRetry)) {
      try {
        await orAborted(this.#live.get(), options?.signal);
        return;
      } catch (error) {
        if (!isPassing(error) || performance.now() + waitMs > deadline) throw error;
        // Somebody waits: a script that does nothing else must not end between two tries.
        await sleep(finishingClock, waitMs, options?.signal, this.#ended.signal);
        throwIfAborted(options?.signal);
        throwIfAborted(this.#ended.signal);
      }
    }
  }

  async close(): Promise<void> {
    this.#ended.abort(mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.'));
    const over = new AbortController();
    const polled = this.#polling.stop();
    const ended = this.#current?.made.end();
    const closed = Promise.allSettled([ended, this.#listening, polled]).then(() => over.abort());
    await Promise.race([closed, sleep(systemClock, times.grace, over.signal)]);
    this.#current?.made.destroy();
  }

  async send(message: string): Promise<void> {
    await this.query(notify, [this.#parts.channel, message]);
  }

  listen(listener: WireListener): void {
    this.#listener = listener;
    if (this.#listening) return;
    this.#listening = this.#keepListening();
    void this.#polling.now();
  }

  use<T>(work: (session: ClientSession) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#take(({ session }) => work(session), options);
  }

  /** One after the other, as a connection works; a transaction has it alone: for the time before the store is open. */
  async #take<T>(work: (live: Live) => Promise<T>, options?: CallOptions): Promise<T> {
    throwIfAborted(options?.signal);
    throwIfAborted(this.#ended.signal);
    const working = this.#turns.take('', options?.signal, async () => {
      const live = await this.#live.get();
      try {
        return await work(live);
      } finally {
        if (live.session.broken) this.#drop(live);
      }
    });
    try {
      return await orAborted(working, options?.signal);
    } catch (error) {
      if (options?.signal?.aborted === true) void this.#dropUnlessDone(working);
      throw error;
    }
  }

  /** What was given up may hang for the connection's sake; others wait for it too, so it gets but a moment to end. */
  async #dropUnlessDone(working: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    const settle = (): void => done.abort();
    working.then(settle, settle);
    await sleep(systemClock, times.grace, done.signal);
    if (!done.signal.aborted) this.#drop(this.#current);
  }

  async #make(): Promise<Live> {
    try {
      throwIfAborted(this.#ended.signal);
      const made = await this.#parts.make(this.#ended.signal);
      const live: Live = { made, session: new ClientSession(made.client, this.#parts) };
      const drop = edge(ignoreError, () => this.#drop(live));
      made.client.on('error', drop);
      made.client.on('end', drop);
      this.#current = live;
      if (this.#ended.signal.aborted) made.destroy();
      return live;
    } catch (error) {
      throw storeError(error, this.#parts.where);
    }
  }

  #drop(live: Live | undefined): void {
    live?.made.destroy();
    if (live !== this.#current) return;
    this.#current = undefined;
    this.#live.forget();
  }

  /** Listens on the connection of the moment until the end; a connection that is lost is replaced, later and later. */
  async #keepListening(): Promise<void> {
    const { signal } = this.#ended;
    let waitMs: number = times.firstRetry;
    while (!signal.aborted) {
      let why = 'the connection was lost';
      try {
        const lost = new AbortController();
        const live = await this.#take(async (taken) => {
          taken.made.client.on(
            'end',
            edge(ignoreError, () => lost.abort()),
          );
          this.#isSilent = await this.#subscribe(taken);
          return taken;
        });
        waitMs = times.firstRetry;
        this.#listener?.onHearing(true);
        this.#listener?.onGap();
        await this.#untilLost(live, lost.signal);
      } catch (error) {
        why = messageOf(error);
      }
      if (this.#ended.signal.aborted) return;
      this.#isSilent = true;
      this.#listener?.onHearing(false, why);
      await sleep(systemClock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, times.longestUnheard);
    }
  }

  /** @throws when the server does not answer any more; the connection is then dropped */
  async #untilLost(live: Live, lost: AbortSignal): Promise<void> {
    const timeoutMs = times.pong;
    const expired = () => mcpError('STORE_FAILED', `The server did not answer within ${timeoutMs} ms.`);
    for (;;) {
      await sleep(systemClock, times.ping, lost, this.#ended.signal);
      if (lost.aborted || this.#ended.signal.aborted) return;
      const asking = (signal: AbortSignal): Promise<unknown> => this.query(ping, [], { signal });
      try {
        await withDeadline(asking, { clock: systemClock, timeoutMs, expired });
      } catch (error) {
        this.#drop(live);
        throw error;
      }
    }
  }

  /** @returns whether nothing arrives all the same */
  async #subscribe({ made: { client }, session }: Live): Promise<boolean> {
    // What a listener throws is told by the next read: what it did not take is in the log.
    const onNotification = edge(ignoreError, ({ processId, payload }: Notification) => {
      if (processId !== client.processID && payload !== undefined) this.#listener?.onMessage(payload);
    });
    client.on('notification', onNotification);
    await session.script(`listen ${quoted(this.#parts.channel)}`);
    const [row] = await session.query(planned('select pg_backend_pid() as pid'), []);
    // A pooler gives numbers of its own; behind one that lends servers by transaction nothing arrives.
    return Number(row?.['pid']) !== client.processID;
  }
}
