import type { Statement } from '../sql/statement.js';
import type { Row, Session } from './database.js';
import type { PostgresPoolClient, PostgresQuery, PostgresResult } from './postgres-pool.js';
import { isRefusal, mustStartOver, storeError } from './store-error.js';

/** How statements are sent. */
export interface SessionOptions {
  /** Whether statements are kept prepared. */
  readonly prepared: boolean;
  /** The database, for messages. */
  readonly where: string;
}

/** Every value stays text: a host may have taught its driver other types. */
const types = { getTypeParser: () => (text: string) => text };

/** The part of a client of `pg` that a session uses. */
type SessionClient = Pick<PostgresPoolClient, 'query'> & { readonly processID?: number | null | undefined };

/** A session on a client of `pg`. */
export class ClientSession implements Session {
  readonly #client: SessionClient;
  readonly #options: SessionOptions;
  #broken = false;
  #isInTransaction = false;

  constructor(client: SessionClient, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  get processId(): number | undefined {
    return this.#client.processID ?? undefined;
  }

  /** Whether the connection failed, so that nothing more can be done with it. */
  get broken(): boolean {
    return this.#broken;
  }

  async query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    const { rows } = await this.#run({ ...this.#queryOf(statement, values), types });
    return rows as readonly Row[];
  }

  async change(statement: Statement, values: readonly unknown[]): Promise<number> {
    const { rowCount } = await this.#run(this.#queryOf(statement, values));
    return rowCount ?? 0;
  }

  async script(text: string): Promise<void> {
    await this.#run({ text });
  }

  #queryOf({ text, name }: Statement, values: readonly unknown[]): PostgresQuery {
    // The driver does not change the array.
    const sent = values as unknown[];
    return this.#options.prepared && name !== undefined
      ? { text, values: sent, name }
      : { text, values: sent };
  }

  /** Runs work between `begin` and `commit`; rolls back when it rejects. */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.script('begin isolation level read committed');
    this.#isInTransaction = true;
    try {
      const result = await work(this);
      await this.script('commit');
      return result;
    } catch (error) {
      // Where the connection is lost, the server rolls back by itself.
      await this.script('rollback').catch(() => undefined);
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  async #run(query: PostgresQuery): Promise<PostgresResult> {
    try {
      return await this.#client.query(query);
    } catch (error) {
      // A statement by itself has the isolation that a role has by default. One that is stricter undoes it because of
      // others at the same time, where ours waits for them: then, and only then, it is worth a transaction of its own.
      if (mustStartOver(error) && !this.#isInTransaction) return this.transaction(() => this.#run(query));
      this.#broken ||= !isRefusal(error);
      throw storeError(error, this.#options.where);
    }
  }
}
