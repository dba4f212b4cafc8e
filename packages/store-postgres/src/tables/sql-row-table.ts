import { type CallOptions, checkListLimit, listPage, type ListPlace, type Page } from '@mcpinfra/core/plugin';
import type { Queryable, Row } from '../database/database.js';
import type { Asked } from '../sql/lists.js';
import { prepared, type Statement } from '../sql/statement.js';

interface PageQuery {
  readonly limit: number;
}

/** What a {@link SqlRowTable} reads. */
export interface SqlRowTableParts<TQuery extends PageQuery> {
  readonly schema: string;
  readonly table: 'servers' | 'instances';
  /** Writes the query for a page, and for one row more that tells whether there is another page. */
  readonly page: (schema: string, query: TQuery) => Asked;
}

/** Reads rows that are kept as a document each. */
export class SqlRowTable<TRow extends ListPlace, TQuery extends PageQuery> {
  readonly #database: Queryable;
  readonly #parts: SqlRowTableParts<TQuery>;
  readonly #get: Statement;

  constructor(database: Queryable, parts: SqlRowTableParts<TQuery>) {
    this.#database = database;
    this.#parts = parts;
    this.#get = prepared(`select body from ${parts.schema}.${parts.table} where id = $1::text`);
  }

  async get(id: string, options?: CallOptions): Promise<TRow | null> {
    const [row] = await this.#database.query(this.#get, [id], options);
    return row === undefined ? null : this.#read(row);
  }

  async list(query: TQuery, options?: CallOptions): Promise<Page<TRow>> {
    checkListLimit(query);
    const { statement, values } = this.#parts.page(this.#parts.schema, query);
    const rows = await this.#database.query(statement, values, options);
    return listPage(
      rows.map((row) => this.#read(row)),
      query,
    );
  }

  #read(row: Row): TRow {
    return JSON.parse(row['body'] ?? '') as TRow;
  }
}
