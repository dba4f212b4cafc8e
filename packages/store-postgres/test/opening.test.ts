import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { Client, Pool } from 'pg';
import { MCPInfraError } from '@mcpinfra/core';
import { postgresSecrets, postgresStore } from '@mcpinfra/store-postgres';
import { startPrivatePostgres } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it } from 'vitest';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';
import { instance, server } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);
const silent = { events: [] };

/** The URL with another user, password or database. */
function urlWith(change: {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}): string {
  const url = new URL(postgres().url);
  url.username = change.user ?? url.username;
  url.password = change.password ?? '';
  if (change.database !== undefined) url.pathname = `/${change.database}`;
  return url.href;
}

async function failureOf(work: Promise<unknown>): Promise<MCPInfraError> {
  const error: unknown = await work.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  if (MCPInfraError.isInstance(error)) return error;
  throw error;
}

async function openFailure(options: Parameters<typeof postgresStore>[0]): Promise<MCPInfraError> {
  const store = postgresStore(options);
  try {
    return await failureOf(store.open());
  } finally {
    await store.close();
  }
}

it.each([
  postgresStore,
  (options: { readonly pool: Pool }) =>
    postgresSecrets({ ...options, keys: { current: 'a', keys: { a: new Uint8Array(32) } } }),
])('refuses a pool of one connection at once, and says how to make one of two', async (make) => {
  const pool = poolAt(postgres().url, 1);
  expect(() => make({ pool })).toThrow(
    /expected pool to have two connections or more, but its max is 1.*new Pool\(\{ connectionString, max: 2 \}\)/u,
  );
  await pool.end();
});

it('works with a pool of two connections, whatever is asked at once', async () => {
  const pool = poolAt(postgres().url, 2);
  const store = postgresStore({ pool, schema: newSchema() });
  await store.open();
  await Promise.all(Array.from({ length: 40 }, () => store.createInstance(instance(), silent)));
  expect((await store.instances.list({ limit: 100 })).items).toHaveLength(40);
  await store.close();
  await pool.end();
});

describe('opening', () => {
  it('lets five processes make the schema of an empty database at once', async () => {
    const schema = newSchema();
    const script = join(import.meta.dirname, 'fixtures/open-store.mjs');
    const open = async () =>
      (await promisify(execFile)(process.execPath, [script, postgres().url, schema])).stdout;
    const identities = new Set(await Promise.all(Array.from({ length: 5 }, open)));
    expect(identities.size).toBe(1);
    expect(JSON.parse([...identities].join(''))).toMatchObject({ durable: true });
  });

  it('waits for a database that is starting', async () => {
    const late = await startPrivatePostgres();
    try {
      await late.kill();
      const store = postgresStore({ connectionString: late.url });
      const opening = store.open();
      await late.restart();
      expect(await opening).toMatchObject({ durable: true });
      await store.close();
    } finally {
      await late.stop();
    }
  });

  it('says host, port and database when the server is away, after the time it was given', async () => {
    const error = await openFailure({
      connectionString: 'postgres://somebody:s3cr3t-pw@127.0.0.1:1/fleet',
      connectTimeoutMs: 300,
    });
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true });
    expect(error.message).toContain('127.0.0.1:1/fleet');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cr3t-pw');
  });

  it('says that the database does not exist', async () => {
    const error = await openFailure({
      connectionString: urlWith({ database: 'nowhere' }),
      connectTimeoutMs: 0,
    });
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(error.message).toMatch(/\/nowhere does not exist/);
  });

  it('says that the password is wrong, at once and without it', async () => {
    const { pool, root } = postgres();
    await pool.query(`create role guarded login password 'right'`);
    await allowByPassword(root, 'guarded');
    for (const password of ['s3cr3t-wrong', '']) {
      const error = await openFailure({ connectionString: urlWith({ user: 'guarded', password }) });
      expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: false });
      expect(error.message).toMatch(/password/);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cr3t');
    }
  });

  it('says which right is missing, and needs none to create once the schema is there', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    await pool.query(`create role plain login`);
    const connectionString = urlWith({ user: 'plain' });
    const error = await openFailure({ connectionString, schema });
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: false });
    expect(error.message).toMatch(/right to create a schema/);

    const owner = postgresStore({ pool, schema });
    const { storeId } = await owner.open();
    await owner.close();
    await pool.query(`grant usage on schema ${schema} to plain;
      grant select, insert, update, delete on all tables in schema ${schema} to plain;
      grant usage on all sequences in schema ${schema} to plain`);
    const store = postgresStore({ connectionString, schema });
    expect(await store.open()).toMatchObject({ storeId });
    await store.createInstance(instance(), silent);
    expect(await store.leases.acquire(['relay'], { id: 'a', ttlMs: 1_000 })).toHaveLength(1);
    await store.close();
  });

  it('refuses a schema of a newer version, and leaves it as it is', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const first = postgresStore({ pool, schema });
    await first.open();
    await first.close();
    await pool.query(`insert into ${schema}.migrations values (999, 'later', 'x')`);
    const steps = (await pool.query(`select * from ${schema}.migrations`)).rows;
    const error = await openFailure({ pool, schema });
    expect(error).toMatchObject({ code: 'STORE_VERSION', details: { version: 999, schema } });
    expect((await pool.query(`select * from ${schema}.migrations`)).rows).toEqual(steps);
  });

  it('takes a schema that a newer version brought further, while that says it may', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const first = postgresStore({ pool, schema });
    await first.open();
    await first.close();
    const { rows } = await pool.query<{ steps: number }>(
      `select max(version) as steps from ${schema}.migrations`,
    );
    const steps = rows[0]?.steps ?? 0;
    // What a step that only adds does.
    await pool.query(`
      alter table ${schema}.instances add column later_one text not null default 'x';
      create table ${schema}.later (id text primary key);
      insert into ${schema}.migrations (version, name, checksum, compatible_since) values (${String(steps + 1)}, 'later', 'x', ${String(steps)});
    `);
    const store = postgresStore({ pool, schema });
    await store.open();
    const row = await store.createInstance(instance(), silent);
    expect(await store.updateInstance({ ...row, name: 'other' }, silent)).toMatchObject({ name: 'other' });
    await store.close();
    await pool.query(
      `update ${schema}.migrations set compatible_since = ${String(steps + 1)} where name = 'later'`,
    );
    const error = await openFailure({ pool, schema });
    expect(error).toMatchObject({ code: 'STORE_VERSION', details: { version: steps + 1, schema } });
  });

  it('says that a server is read-only', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const first = postgresStore({ pool, schema });
    await first.open();
    await first.close();
    await pool.query('create role reader login superuser');
    await pool.query('alter role reader set default_transaction_read_only = on');
    const store = postgresStore({ connectionString: urlWith({ user: 'reader' }), schema });
    await store.open();
    const error = await failureOf(store.createServer(server(), silent));
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(error.message).toMatch(/read-only/);
    await store.close();
  });

  it.each([
    ['53100', /disk .* is full/, true],
    ['57014', /statement_timeout/, true],
    ['40P01', /nothing was changed/, true],
    ['42501', /does not allow/, false],
    ['XX001', /answered: as told/, true],
  ])('says what SQLSTATE %s means where a write is refused with it', async (state, sentence, retryable) => {
    const { pool } = postgres();
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.open();
    await pool.query(`create function ${schema}.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'as told' using errcode = '${state}'; end $$;
      create trigger refuse before insert on ${schema}.servers execute function ${schema}.refuse()`);
    const error = await failureOf(store.createServer(server(), silent));
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable, details: { sqlState: state } });
    expect(error.message).toMatch(sentence);
    await store.close();
  });

  it('says that there are too many connections', async () => {
    const { pool } = postgres();
    await pool.query('create role few login connection limit 0');
    const error = await openFailure({ connectionString: urlWith({ user: 'few' }), connectTimeoutMs: 0 });
    expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true });
    expect(error.message).toMatch(/too many connections/);
  });

  it('keeps the name of the fleet, and refuses another', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const first = postgresStore({ pool, schema, fleet: 'blue' });
    expect(await first.open()).toMatchObject({ fleet: 'blue' });
    await first.close();
    const again = postgresStore({ pool, schema });
    expect(await again.open()).toMatchObject({ fleet: 'blue' });
    await again.close();
    expect(await openFailure({ pool, schema, fleet: 'green' })).toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('leaves the pool of the host open, and does not need its options', async () => {
    const pool = poolAt(postgres().url, 2);
    const bare = {
      connect: () => pool.connect(),
    };
    const store = postgresStore({ pool: bare, schema: newSchema() });
    await store.open();
    expect(await store.leases.acquire(['relay'], { id: 'a', ttlMs: 1_000 })).toHaveLength(1);
    await store.close();
    expect((await pool.query('select 1')).rowCount).toBe(1);
    await pool.end();
  });
});

describe('options', () => {
  it('refuses what it does not know and what it cannot use', () => {
    const pool = { connect: () => Promise.reject(new Error('not asked')) };
    const refused = (options: object) => {
      try {
        postgresStore(options);
      } catch (error) {
        return String(error);
      }
      return 'accepted';
    };
    expect(refused({ pool, schem: 'x' })).toMatch(/no option "schem"; did you mean "schema"\?/);
    expect(refused({})).toMatch(/either a pool or a connectionString/);
    expect(refused({ pool, connectionString: 'postgres://x' })).toMatch(/either/);
    expect(refused({ pool, schema: 'a"b' })).toMatch(/got "a\\"b"/);
    expect(refused({ pool, schema: 'pg_x' })).toMatch(/pg_/);
    expect(refused({ pool, fleet: 'a b' })).toMatch(/got "a b"/);
    expect(refused({ pool, connectTimeoutMs: -1 })).toMatch(/connectTimeoutMs/);
    expect(refused({ connectionString: 'postgres://me:s3cr3t@host:port/x' })).toMatch(/a URL like/);
    expect(refused({ connectionString: 'postgres://me:s3cr3t@host:port/x' })).not.toMatch(/s3cr3t/);
  });

  it('shows no password of a pool whose URL cannot be read', async () => {
    const pool = new Pool({ connectionString: 'postgres://me:s3cr3t@host:port/x' });
    const error = await openFailure({ pool });
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cr3t');
    await pool.end();
  });
});

/** Has the server ask one user for its password. */
async function allowByPassword(root: string, user: string): Promise<void> {
  const { readFile, writeFile } = await import('node:fs/promises');
  const path = join(root, 'data/pg_hba.conf');
  const line = `host all ${user} 127.0.0.1/32 scram-sha-256\n`;
  await writeFile(path, line + (await readFile(path, 'utf8')));
  const admin = new Client(postgres().url);
  await admin.connect();
  await admin.query('select pg_reload_conf()');
  await admin.end();
}
