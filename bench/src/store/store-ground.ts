import type { InstanceRecord, Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { type PostgresServer, startPostgres } from '@mcpinfra/tools';
import pg from 'pg';
import { exampleInstance } from './example-instance.js';

const hundredThousand = 100_000;

/** A PostgreSQL with a store of ours and, beside it, tables of the bare minimum with the same rows. */
export class StoreGround {
  readonly #server: PostgresServer;
  readonly pool: pg.Pool;
  readonly store: Store;
  /** The first rows of the store, for those that write. */
  readonly rows: readonly InstanceRecord[];

  static async open(): Promise<StoreGround> {
    const server = await startPostgres();
    const pool = new pg.Pool({ connectionString: server.url, max: 20 });
    try {
      const store = postgresStore({ pool, schema: 'mcpinfra_bench' });
      await store.open();
      const rows: InstanceRecord[] = [];
      for (let n = 0; n < 64; n += 1)
        rows.push(await store.createInstance(exampleInstance('bench'), { events: [] }));
      await multiply(pool);
      await copyRaw(pool);
      return new StoreGround(server, { pool, store, rows });
    } catch (error) {
      await pool.end();
      await server.stop();
      throw error;
    }
  }

  private constructor(
    server: PostgresServer,
    parts: { readonly pool: pg.Pool; readonly store: Store; readonly rows: readonly InstanceRecord[] },
  ) {
    this.#server = server;
    this.pool = parts.pool;
    this.store = parts.store;
    this.rows = parts.rows;
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.pool.query(
      'drop schema if exists mcpinfra_bench cascade; drop schema if exists raw_bench cascade',
    );
    await this.pool.end();
    await this.#server.stop();
  }
}

/** Makes 100,000 rows of one, each with its own names and time. */
async function multiply(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ column_name: string }>(
    `select column_name from information_schema.columns
      where table_schema = 'mcpinfra_bench' and table_name = 'instances' and is_generated = 'NEVER'`,
  );
  const names = rows.map(({ column_name: name }) => name);
  const own: Readonly<Record<string, string>> = {
    id: `'row-' || n`,
    name: `'row-' || n`,
    slug: `'row-' || n`,
    created_at: `created_at + n * interval '1 ms'`,
    body: `jsonb_set(body::jsonb, '{id}', to_jsonb('row-' || n))::json`,
  };
  const values = names.map((name) => own[name] ?? name);
  await pool.query(
    `insert into mcpinfra_bench.instances (${names.join(', ')})
     select ${values.join(', ')} from (select * from mcpinfra_bench.instances limit 1) one, generate_series(1, $1) n`,
    [hundredThousand],
  );
  await pool.query('analyze mcpinfra_bench.instances');
}

/** The floor's tables: what a change of state and a page need, and nothing more. */
async function copyRaw(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create schema raw_bench;
    create table raw_bench.instances as
      select id, resource_version, status, created_at, body from mcpinfra_bench.instances;
    alter table raw_bench.instances add primary key (id);
    create index on raw_bench.instances (created_at, id);
    create table raw_bench.events (id bigint generated always as identity primary key, body json not null);
    analyze raw_bench.instances`);
}
