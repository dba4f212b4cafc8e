import type { CallOptions, MCPServer, Page, ServerQuery, ServerTable } from '@mcpinfra/core/plugin';
import type { Queryable } from '../database/database.js';
import { serverPage } from '../sql/lists.js';
import { prepared, type Statement } from '../sql/statement.js';
import { checkLimit, pageOf } from './page-of.js';

/** Reads definitions. */
export class SqlServerTable implements ServerTable {
  readonly #database: Queryable;
  readonly #schema: string;
  readonly #get: Statement;

  constructor(database: Queryable, schema: string) {
    this.#database = database;
    this.#schema = schema;
    this.#get = prepared(`select body from ${schema}.servers where id = $1::text`);
  }

  async get(id: string, options?: CallOptions): Promise<MCPServer | null> {
    const [row] = await this.#database.query(this.#get, [id], options);
    return row === undefined ? null : (JSON.parse(row['body'] ?? '') as MCPServer);
  }

  async list(query: ServerQuery, options?: CallOptions): Promise<Page<MCPServer>> {
    checkLimit(query);
    const { statement, values } = serverPage(this.#schema, query);
    return pageOf<MCPServer>(await this.#database.query(statement, values, options), query);
  }
}
