import { type CallOptions, Once, orAborted } from '@mcpinfra/core/plugin';
import type { Statement } from '../sql/statement.js';
import type { Database, Queries, Row, Session } from './database.js';
import { Lending } from './lending.js';
import { embeddedError } from './store-error.js';

/** An embedded database: `PGlite` of `@electric-sql/pglite`, or what is shaped like it. */
export interface EmbeddedPostgres {
  query(text: string, values?: unknown[], options?: object): Promise<EmbeddedResult>;
  transaction<T>(work: (transaction: EmbeddedTransaction) => Promise<T>): Promise<T>;
  /** Where it keeps its files; `memory://` is nowhere. */
  readonly dataDir?: string | undefined;
}

/** A transaction of an {@link EmbeddedPostgres}. */
export interface EmbeddedTransaction {
  query(text: string, values?: unknown[], options?: object): Promise<EmbeddedResult>;
  exec(text: string): Promise<unknown>;
}

/** What an {@link EmbeddedPostgres} gives for a query. */
export interface EmbeddedResult {
  readonly rows: readonly unknown[];
  /** How many rows the command wrote. */
  readonly affectedRows?: number | undefined;
}

/** What an {@link EmbeddedDatabase} is made of. */
export interface EmbeddedDatabaseParts {
  readonly open: () => Promise<OpenEmbedded>;
  /** Whether what is committed outlives the process. */
  readonly durable: boolean;
  /** Whether it was opened under a lock. @defaultValue false */
  readonly exclusive?: boolean | undefined;
  /** The database, for messages. */
  readonly where: string;
}

/** An embedded database that is in use, and what ends that. */
export interface OpenEmbedded {
  readonly pglite: EmbeddedPostgres;
  close(): Promise<void>;
}

const asText = (text: string): string => text;
// Every value stays text, by the numbers PostgreSQL gives to boolean, bigint, integer, json and text.
const queryOptions = { parsers: { 16: asText, 20: asText, 23: asText, 114: asText, 25: asText } };

/** PostgreSQL in this process: one connection, which calls use in turn. */
export class EmbeddedDatabase extends Lending implements Database {
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly #parts: EmbeddedDatabaseParts;
  readonly #opened: Once<OpenEmbedded>;

  constructor(parts: EmbeddedDatabaseParts) {
    super();
    this.#parts = parts;
    this.#opened = new Once(async () => {
      try {
        return await parts.open();
      } catch (error) {
        throw embeddedError(error, parts.where);
      }
    });
    this.durable = parts.durable;
    this.exclusive = parts.exclusive ?? false;
  }

  get direct(): this {
    return this;
  }

  async open(options?: CallOptions): Promise<void> {
    await orAborted(this.#database(), options?.signal);
  }

  async close(): Promise<void> {
    const opened = this.#opened.begun ? await this.#opened.get().catch(() => undefined) : undefined;
    await opened?.close();
  }

  async use<T>(work: (session: Queries) => Promise<T>, options?: CallOptions): Promise<T> {
    const database = await this.#database();
    return orAborted(work(this.#queries(database)), options?.signal);
  }

  async transaction<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    const database = await this.#database();
    return orAborted(
      database.transaction((transaction) =>
        // Given up, it is rolled back: the others are waiting for the connection.
        orAborted(work(this.#session(transaction)), options?.signal),
      ),
      options?.signal,
    );
  }

  async #database(): Promise<EmbeddedPostgres> {
    return (await this.#opened.get()).pglite;
  }

  #session(transaction: EmbeddedTransaction): Session {
    return {
      ...this.#queries(transaction),
      script: async (text) => {
        await transaction.exec(text).catch((error: unknown) => {
          throw embeddedError(error, this.#parts.where);
        });
      },
    };
  }

  #queries(runner: Pick<EmbeddedPostgres, 'query'>): Queries {
    return {
      query: async (statement, values) => (await this.#run(runner, statement, values)).rows as readonly Row[],
      change: async (statement, values) => {
        const { rows, affectedRows = 0 } = await this.#run(runner, statement, values);
        return affectedRows === 0 ? rows.length : affectedRows;
      },
    };
  }

  async #run(
    runner: Pick<EmbeddedPostgres, 'query'>,
    { text }: Statement,
    values: readonly unknown[],
  ): Promise<EmbeddedResult> {
    try {
      return await runner.query(text, [...values], queryOptions);
    } catch (error) {
      throw embeddedError(error, this.#parts.where);
    }
  }
}
