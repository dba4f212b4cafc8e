import { type CallOptions, orAborted, throwIfAborted } from '@mcpinfra/core/plugin';
import type { Database, NewsWire, Session } from './database.js';
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
  /** Ends a pool of our own. */
  readonly end?: (() => Promise<void>) | undefined;
}

/** PostgreSQL by a pool, and one connection beside it. */
export class PoolDatabase extends SessionLending implements Database {
  readonly direct: OwnConnection;
  readonly wire: NewsWire;
  readonly durable = true;
  readonly #parts: PoolDatabaseParts;

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
    await this.direct.open(options);
  }

  async close(): Promise<void> {
    await this.direct.close();
    await this.#parts.end?.();
  }

  /** Lends a client of the pool. One whose connection failed, or whose use was given up, does not go back. */
  async use<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    const signal = options?.signal;
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
      finished = signal?.aborted !== true;
      throw error;
    } finally {
      client.removeListener('error', ignore);
      client.release(!finished || session.broken);
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

function ignore(): void {
  // Whoever used the connection has been told by a rejection, and the next call opens another.
}
