import {
  type CallOptions,
  finishingClock,
  mcpError,
  type MCPInfraError,
  orAborted,
  sleep,
  systemClock,
  throwIfAborted,
  underSignals,
  withDeadline,
} from '@mcpinfra/core/plugin';
import type { Database, NewsWire } from './database.js';
import { SessionLending } from './lending.js';
import type { OwnConnection } from './own-connection.js';
import type { PostgresPool, PostgresPoolClient } from './postgres-pool.js';
import { ClientSession } from './session.js';
import { storeError } from './store-error.js';

/** What a {@link PoolDatabase} is made of. */
export interface PoolDatabaseParts {
  readonly pool: PostgresPool;
  readonly direct: OwnConnection;
  /** Whether statements are kept prepared. */
  readonly prepared: boolean;
  /** The database, for messages. */
  readonly where: string;
  /** Whether the connection beside the pool is one of the pool's. @defaultValue false */
  readonly sharesPool?: boolean | undefined;
  /** Ends a pool of our own. */
  readonly end?: (() => Promise<void>) | undefined;
}

/** So long a pool has to give a second connection. */
const secondMs = 5_000;
/** So long what is under way has to end when the store is closed, in milliseconds. */
const graceMs = 1_000;

/** PostgreSQL by a pool, and one connection beside it. */
export class PoolDatabase extends SessionLending implements Database {
  readonly direct: OwnConnection;
  readonly wire: NewsWire;
  readonly durable = true;
  readonly #parts: PoolDatabaseParts;
  readonly #ended = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(parts: PoolDatabaseParts) {
    super();
    this.#parts = parts;
    this.direct = parts.direct;
    this.wire = parts.direct;
  }

  async open(options?: CallOptions): Promise<void> {
    // A pool tells of idle connections that were lost; where nobody listens that would end the process. It stays there
    // after the end: connections end a little later than their pool.
    this.#parts.pool.removeListener?.('error', ignore);
    this.#parts.pool.on?.('error', ignore);
    const clients = this.#parts.pool as unknown as ClientEvents;
    clients.removeListener?.('connect', hear);
    clients.on?.('connect', hear);
    await this.direct.open(options);
    if (this.#parts.sharesPool === true) await this.#refusePoolOfOne(options);
  }

  /** One connection is kept for good by then; a pool without another would let every call wait for ever. */
  async #refusePoolOfOne(options?: CallOptions): Promise<void> {
    const expired = (): MCPInfraError =>
      mcpError(
        'INVALID_OPTIONS',
        `The pool gave the store one connection and no other within ${String(secondMs)} ms. It needs at least two: one is ` +
          'kept for leases and news, the others serve calls. Raise its max, or give that one another way by direct.',
      );
    const take = async (signal: AbortSignal): Promise<void> => (await this.#take(signal)).release();
    await withDeadline(take, {
      clock: finishingClock,
      timeoutMs: secondMs,
      expired,
      signals: [options?.signal],
    });
  }

  async close(): Promise<void> {
    const over = new AbortController();
    const ended = Promise.allSettled(this.#underWay).then(() => over.abort());
    await Promise.all([this.direct.close(), Promise.race([ended, sleep(systemClock, graceMs, over.signal)])]);
    this.#ended.abort(mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.'));
    await Promise.allSettled(this.#underWay);
    await this.#parts.end?.();
  }

  /** Lends a client of the pool. One whose connection failed, or whose use was given up, does not go back. */
  use<T>(work: (session: ClientSession) => Promise<T>, options?: CallOptions): Promise<T> {
    const using = underSignals([options?.signal, this.#ended.signal], (signal) => this.#use(work, signal));
    this.#underWay.add(using);
    const forget = (): boolean => this.#underWay.delete(using);
    using.then(forget, forget);
    return using;
  }

  async #use<T>(work: (session: ClientSession) => Promise<T>, signal: AbortSignal): Promise<T> {
    const client = await this.#take(signal);
    // A client that is lent tells of its lost connection by an event too.
    client.on('error', ignore);
    const session = new ClientSession(client, this.#parts);
    let finished = false;
    try {
      const result = await orAborted(work(session), signal);
      finished = true;
      return result;
    } catch (error) {
      finished = !signal.aborted;
      throw error;
    } finally {
      client.removeListener('error', ignore);
      const isPoisoned = !finished || session.broken;
      client.release(isPoisoned);
      if (isPoisoned) client.connection?.stream?.destroy?.();
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<PostgresPoolClient> {
    throwIfAborted(signal);
    const taking = this.#parts.pool.connect();
    try {
      return await orAborted(taking, signal);
    } catch (error) {
      // Given up while the pool was full: what comes later goes back at once.
      taking.then(
        (client) => client.release(),
        () => undefined,
      );
      throw storeError(error, this.#parts.where);
    }
  }
}

/** What a pool of `pg` tells of its new clients. */
interface ClientEvents {
  on?(event: 'connect', listener: typeof hear): unknown;
  removeListener?(event: 'connect', listener: typeof hear): unknown;
}

/**
 * Listens to a client from its first moment on: one that the server ends in the packet that admits it tells so before
 * whoever waits for it can listen, which would end the process.
 */
function hear(client: PostgresPoolClient): void {
  client.on('error', ignore);
}

function ignore(): void {
  // Whoever used the connection has been told by a rejection, and the next call opens another.
}
