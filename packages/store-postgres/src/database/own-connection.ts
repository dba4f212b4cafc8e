import { setTimeout as sleep } from 'node:timers/promises';
import { type CallOptions, KeyedTurns, mcpError, orAborted, throwIfAborted } from '@mcpinfra/core/plugin';
import { planned, prepared, quoted } from '../sql/statement.js';
import type { Connection, NewsWire, Session, WireListener } from './database.js';
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
  readonly make: () => Promise<Made>;
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
const firstRetryMs = 100;
const longestRetryMs = 2_000;
const pollEveryMs = 1_000;
const graceMs = 1_000;

/**
 * One connection that is not of the host's pool: leases are renewed and news heard however busy that is.
 *
 * Made when it is needed; once lost it is made anew by the next call, and by itself while somebody listens.
 */
export class OwnConnection extends SessionLending implements Connection, NewsWire {
  readonly #parts: OwnConnectionParts;
  readonly #ended = new AbortController();
  readonly #turns = new KeyedTurns();
  #connecting: Promise<Live> | undefined;
  #current: Live | undefined;
  #listener: WireListener | undefined;
  #poll: NodeJS.Timeout | undefined;
  #listening: Promise<void> | undefined;

  constructor(parts: OwnConnectionParts) {
    super();
    this.#parts = parts;
  }

  /** Connects; tries again for a while where the database is not there yet. */
  async open(options?: CallOptions): Promise<void> {
    const deadline = performance.now() + this.#parts.connectTimeoutMs;
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
      try {
        await orAborted(this.#connected(), options?.signal);
        return;
      } catch (error) {
        if (!isPassing(error) || performance.now() + waitMs > deadline) throw error;
        await orAborted(sleep(waitMs), options?.signal);
        throwIfAborted(this.#ended.signal);
      }
    }
  }

  async close(): Promise<void> {
    this.#ended.abort(mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.'));
    clearInterval(this.#poll);
    const grace = sleep(graceMs, undefined, { ref: false });
    // One that is made later is destroyed when it is.
    const connecting = this.#connecting?.catch(() => undefined);
    await Promise.race([connecting?.then((live) => live?.made.end()), grace]);
    this.#current?.made.destroy();
    await Promise.race([this.#listening, sleep(graceMs, undefined, { ref: false })]);
  }

  async send(message: string): Promise<void> {
    await this.query(notify, [this.#parts.channel, message]);
  }

  listen(listener: WireListener): void {
    this.#listener = listener;
    this.#listening ??= this.#keepListening();
  }

  /** One after the other, as a connection works; a transaction has it alone: for the time before the store is open. */
  async use<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    throwIfAborted(options?.signal);
    throwIfAborted(this.#ended.signal);
    const working = this.#turns.take('', options?.signal, async () => {
      const live = await this.#connected();
      try {
        return await work(live.session);
      } finally {
        if (live.session.broken) this.#drop(live);
      }
    });
    try {
      return await orAborted(working, options?.signal);
    } catch (error) {
      if (options?.signal?.aborted === true) this.#dropUnlessDone(working);
      throw error;
    }
  }

  /** What was given up may hang for the connection's sake; others wait for it too, so it gets but a moment to end. */
  #dropUnlessDone(working: Promise<unknown>): void {
    const timer = setTimeout(() => this.#drop(this.#current), graceMs);
    const done = (): void => clearTimeout(timer);
    working.then(done, done);
  }

  #connected(): Promise<Live> {
    this.#connecting ??= this.#make().catch((error: unknown) => {
      this.#connecting = undefined;
      throw storeError(error, this.#parts.where);
    });
    return this.#connecting;
  }

  async #make(): Promise<Live> {
    const made = await this.#parts.make();
    const live: Live = { made, session: new ClientSession(made.client, this.#parts) };
    made.client.on('error', () => this.#drop(live));
    made.client.on('end', () => this.#drop(live));
    this.#current = live;
    if (this.#ended.signal.aborted) made.destroy();
    return live;
  }

  #drop(live: Live | undefined): void {
    live?.made.destroy();
    if (live !== this.#current) return;
    this.#current = undefined;
    this.#connecting = undefined;
  }

  /** Listens on the connection of the moment until the end; a connection that is lost is replaced, later and later. */
  async #keepListening(): Promise<void> {
    const { signal } = this.#ended;
    let waitMs = firstRetryMs;
    while (!signal.aborted) {
      try {
        const { made } = await this.#connected();
        const lost = new Promise<void>((resolve) => made.client.on('end', () => resolve()));
        await this.use((session) => this.#subscribe(made.client, session));
        waitMs = firstRetryMs;
        this.#listener?.onGap();
        await lost;
      } catch {
        // Told by whatever else the connection is needed for.
      }
      clearInterval(this.#poll);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, longestRetryMs);
    }
  }

  async #subscribe(client: ConnectedClient, session: Session): Promise<void> {
    client.on('notification', ({ processId, payload }) => {
      if (processId !== client.processID && payload !== undefined) this.#listener?.onMessage(payload);
    });
    await session.script(`listen ${quoted(this.#parts.channel)}`);
    const [row] = await session.query(planned('select pg_backend_pid() as pid'), []);
    // A pooler gives numbers of its own; behind one that lends servers by transaction nothing arrives.
    if (Number(row?.['pid']) === client.processID) return;
    this.#poll = setInterval(() => this.#listener?.onSilence(), pollEveryMs);
  }
}
