import type { CallOptions } from '@mcpinfra/core/plugin';
import type { Statement } from '../sql/statement.js';
import type { Queries, Queryable, Row } from './database.js';

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
