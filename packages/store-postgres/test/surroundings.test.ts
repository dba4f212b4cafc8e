import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pgliteSecrets, pgliteStore, type PostgresPool, postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';
import { event, instance } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);

describe('the tables', () => {
  it('all have a primary key, so that a publication for all tables ends no event', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.open();
    const { rows } = await pool.query(
      `select c.relname from pg_class c where c.relnamespace = $1::regnamespace and c.relkind = 'r'
       and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
      [schema],
    );
    expect(rows).toEqual([]);
    await pool.query('create publication everything for all tables');
    try {
      const row = await store.createInstance(instance(), { events: [event()] });
      await store.updateInstance({ ...row, status: 'running' }, { events: [event()] });
      expect(await store.events.number(10)).toHaveLength(2);
    } finally {
      await pool.query('drop publication everything');
      await store.close();
    }
  });
});

describe('a role whose transactions are stricter by default', () => {
  it.each(['repeatable read', 'serializable'])('fails no write: %s', async (level) => {
    const { pool, url } = postgres();
    const role = newSchema();
    await pool.query(`create role ${role} login superuser`);
    await pool.query(`alter role ${role} set default_transaction_isolation = '${level}'`);
    const strict = new URL(url);
    strict.username = role;
    const own = poolAt(strict.href);
    const store = postgresStore({ pool: own, schema: newSchema() });
    await store.open();
    const effects = { events: [event()], counters: [{ name: 'instances', by: 1, max: 100 }] };
    const made = await Promise.allSettled(
      Array.from({ length: 40 }, () => store.createInstance(instance(), effects)),
    );
    expect(made.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await store.counters.get('instances')).toBe(40);
    await store.close();
    await own.end();
  });
});

it('names the option for a pooler that forgets prepared statements', async () => {
  const pool = poolAt(postgres().url, 2);
  const store = postgresStore({ pool, schema: newSchema() });
  await store.open();
  await store.events.head();
  await pool.query('deallocate all');
  await expect(store.events.head()).rejects.toMatchObject({
    code: 'STORE_FAILED',
    retryable: false,
    message: expect.stringContaining('prepared: false') as string,
  });
  await store.close();
  await pool.end();
});

it('refuses a pool that has one connection and does not say how to make another', async () => {
  const pool = poolAt(postgres().url, 1);
  const shaped: PostgresPool = { connect: () => pool.connect() };
  const store = postgresStore({ pool: shaped, schema: newSchema(), connectTimeoutMs: 200 });
  await expect(store.open()).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
    message: expect.stringMatching(/at least two/) as string,
  });
  await store.close();
  await pool.end();
});

describe('an embedded database', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcpinfra-surroundings-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('makes the folders above its own', async () => {
    const store = pgliteStore({ dataDir: join(folder, 'a', 'b', 'c') });
    await store.open();
    await store.close();
  }, 60_000);

  it('that cannot have its folder names it, speaks of no host, and is not tried again', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, 'not a folder');
    for (const dataDir of [join(file, 'data'), file]) {
      const store = pgliteStore({ dataDir });
      const error: unknown = await store.open().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: false });
      expect((error as Error).message).toContain(dataDir);
      expect((error as Error).message).not.toMatch(/host|port\b/);
      await store.close();
    }
  }, 60_000);

  it('of which store and secrets of one process are to have the folder says how to share one', async () => {
    const dataDir = join(folder, 'shared');
    const store = pgliteStore({ dataDir });
    await store.open();
    const keys = { current: 'k', keys: { k: Buffer.alloc(32, 1) } };
    const secrets = pgliteSecrets({ dataDir, keys });
    await expect(secrets.open?.({})).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringMatching(
        /this process.*PGlite\.create\(.*pgliteStore\(\{ pglite \}\)/su,
      ) as string,
    });
    await secrets.close?.();
    await store.close();
  }, 60_000);
});
