import type { InstanceRecord, Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { type PostgresServer, startPostgres } from '@mcpinfra/tools';
import pg from 'pg';
import { exampleInstance } from './example-instance.js';

const hundredThousand = 100_000;

/** A PostgreSQL with a store of ours and, beside it, the tables of the floors with the same rows. */
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
      await makeFloor(pool);
      await makeBareFloor(pool);
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
      ['mcpinfra_bench', 'floor_bench', 'bare_bench']
        .map((schema) => `drop schema if exists ${schema} cascade`)
        .join('; '),
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
  await pool.query(`
    insert into mcpinfra_bench.instances_by_status (id, tenant, status, created_at)
      select id, tenant, status, created_at from mcpinfra_bench.instances on conflict do nothing;
    analyze mcpinfra_bench.instances;
    analyze mcpinfra_bench.instances_by_status`);
}

/** What whoever writes a store by hand needs too: unique names, pages in order and by status, and events to be numbered. */
async function makeFloor(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create schema floor_bench;
    create table floor_bench.instances as
      select id, tenant, name, slug, resource_version, status, created_at, body from mcpinfra_bench.instances;
    alter table floor_bench.instances add primary key (id), add unique (tenant, name), add unique (slug);
    create index on floor_bench.instances (created_at, id);
    create index on floor_bench.instances (status, created_at, id);
    create table floor_bench.events (id bigint generated always as identity, position bigint, body json not null);
    create unique index on floor_bench.events (position) where position is not null;
    create index on floor_bench.events (id) where position is null;
    analyze floor_bench.instances`);
}

/** What one change of state and one page touch, and nothing more. */
async function makeBareFloor(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create schema bare_bench;
    create table bare_bench.instances as
      select id, resource_version, status, created_at, body from mcpinfra_bench.instances;
    alter table bare_bench.instances add primary key (id);
    create index on bare_bench.instances (created_at, id);
    create table bare_bench.events (id bigint generated always as identity primary key, body json not null);
    analyze bare_bench.instances`);
}
