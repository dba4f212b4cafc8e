import type { Statement } from '../sql/statement.js';
import type { Row, Session } from './database.js';
import type { PostgresPoolClient, PostgresQuery } from './postgres-pool.js';
import { isRefusal, storeError } from './store-error.js';

/** A session on a client of `pg`. */
export interface ClientSession extends Session {
  /** Whether the connection failed, so that nothing more can be done with it. */
  readonly broken: boolean;
}

/** How statements are sent. */
export interface SessionOptions {
  /** Whether statements are kept prepared. */
  readonly prepared: boolean;
  /** The database, for messages. */
  readonly where: string;
}

/** Every value stays text: a host may have taught its driver other types. */
const types = { getTypeParser: () => (text: string) => text };

/** Runs statements on a client of `pg`. */
export function sessionOf(client: Pick<PostgresPoolClient, 'query'>, options: SessionOptions): ClientSession {
  let broken = false;
  const run = async (query: PostgresQuery): Promise<readonly Row[]> => {
    try {
      const { rows } = await client.query(query);
      return rows as readonly Row[];
    } catch (error) {
      broken ||= !isRefusal(error);
      throw storeError(error, options.where);
    }
  };
  return {
    get broken() {
      return broken;
    },
    query: ({ text, name }: Statement, values) => {
      // The driver does not change the array.
      const query = { text, values: values as unknown[], types };
      return run(options.prepared && name !== undefined ? { ...query, name } : query);
    },
    script: async (text) => {
      await run({ text });
    },
  };
}

/** Runs work between `begin` and `commit`; rolls back when it rejects. */
export async function inTransaction<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  await session.script('begin isolation level read committed');
  let result: T;
  try {
    result = await work(session);
  } catch (error) {
    // Where the connection is lost, the server rolls back by itself.
    await session.script('rollback').catch(() => undefined);
    throw error;
  }
  await session.script('commit');
  return result;
}
