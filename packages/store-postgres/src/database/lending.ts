import type { CallOptions } from '@mcpinfra/core/plugin';
import type { Statement } from '../sql/statement.js';
import type { Connection, Queries, Queryable, Row, Session } from './database.js';
import type { ClientSession } from './session.js';

/** Lends what statements run on; a single statement borrows it for itself. */
export abstract class Lending implements Queryable {
  abstract use<T>(work: (session: Queries) => Promise<T>, options?: CallOptions): Promise<T>;

  async query(
    statement: Statement,
    values: readonly unknown[],
    options?: CallOptions,
  ): Promise<readonly Row[]> {
    return this.use((session) => session.query(statement, values), options);
  }
}

/** Lends sessions, which can run transactions. */
export abstract class SessionLending extends Lending implements Connection {
  abstract override use<T>(work: (session: ClientSession) => Promise<T>, options?: CallOptions): Promise<T>;

  async transaction<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.use((session) => session.transaction(work), options);
  }
}
