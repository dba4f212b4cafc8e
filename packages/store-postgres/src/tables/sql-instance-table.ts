import type { CallOptions, InstanceQuery, InstanceRecord, InstanceTable, Page } from '@mcpinfra/core/plugin';
import type { Queryable } from '../database/database.js';
import { instanceCount, type InstanceFilter, instancePage } from '../sql/lists.js';
import { prepared, type Statement } from '../sql/statement.js';
import { checkLimit, pageOf } from './page-of.js';

/** Reads instances. */
export class SqlInstanceTable implements InstanceTable {
  readonly #database: Queryable;
  readonly #schema: string;
  readonly #get: Statement;

  constructor(database: Queryable, schema: string) {
    this.#database = database;
    this.#schema = schema;
    this.#get = prepared(`select body from ${schema}.instances where id = $1::text`);
  }

  async get(id: string, options?: CallOptions): Promise<InstanceRecord | null> {
    const [row] = await this.#database.query(this.#get, [id], options);
    return row === undefined ? null : (JSON.parse(row['body'] ?? '') as InstanceRecord);
  }

  async list(query: InstanceQuery, options?: CallOptions): Promise<Page<InstanceRecord>> {
    checkLimit(query);
    const { statement, values } = instancePage(this.#schema, query);
    return pageOf<InstanceRecord>(await this.#database.query(statement, values, options), query);
  }

  async count(query: InstanceFilter, options?: CallOptions): Promise<number> {
    const { statement, values } = instanceCount(this.#schema, query);
    const [row] = await this.#database.query(statement, values, options);
    return Number(row?.['count'] ?? 0);
  }
}
