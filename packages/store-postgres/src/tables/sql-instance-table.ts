import type { CallOptions, InstanceQuery, InstanceRecord, InstanceTable } from '@mcpinfra/core/plugin';
import type { Queryable } from '../database/database.js';
import { instanceCount, type InstanceFilter, instancePage } from '../sql/lists.js';
import { SqlRowTable } from './sql-row-table.js';

/** Reads instances, and counts them. */
export class SqlInstanceTable extends SqlRowTable<InstanceRecord, InstanceQuery> implements InstanceTable {
  readonly #database: Queryable;
  readonly #schema: string;

  constructor(database: Queryable, schema: string) {
    super(database, { schema, table: 'instances', page: instancePage });
    this.#database = database;
    this.#schema = schema;
  }

  async count(query: InstanceFilter, options?: CallOptions): Promise<number> {
    const { statement, values } = instanceCount(this.#schema, query);
    const [row] = await this.#database.query(statement, values, options);
    return Number(row?.['count'] ?? 0);
  }
}
