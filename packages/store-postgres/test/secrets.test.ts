import { createCipheriv, createDecipheriv } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { createMCPInfra, MCPInfraError } from '@mcpinfra/core';
import { Secret } from '@mcpinfra/core/plugin';
import { fakeProvider } from '@mcpinfra/core/testing';
import {
  pgliteSecrets,
  pgliteStore,
  postgresSecrets,
  postgresStore,
  type SealedSecretStore,
  type SecretKeys,
  type SecretKeyService,
} from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';
import { newKey, put, reference, reveal } from './support/secrets.js';

const postgres = serviceOrSkip(startTestPostgres);

function storeOf(schema: string, keys: SecretKeys): SealedSecretStore {
  const store = postgresSecrets({ pool: postgres().pool, schema, keys });
  onTestFinished(() => store.close?.());
  return store;
}

async function opened(schema: string, keys: SecretKeys): Promise<SealedSecretStore> {
  const store = storeOf(schema, keys);
  await store.open?.();
  return store;
}

async function failureOf(work: Promise<unknown> | undefined): Promise<MCPInfraError> {
  const error: unknown = await work?.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  if (MCPInfraError.isInstance(error)) return error;
  throw error;
}

/** Every way in which key material could be written down. */
function spellings(key: Uint8Array): readonly string[] {
  const bytes = Buffer.from(key);
  return [bytes.toString('hex'), bytes.toString('base64'), bytes.join(','), bytes.join(', ')];
}

/** How many values are under each key. */
async function underKeys(schema: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await postgres().pool.query<{ key_id: string; n: number }>(
    `select key_id, count(*)::int as n from ${schema}.secrets group by key_id`,
  );
  return Object.fromEntries(rows.map(({ key_id, n }) => [key_id, n]));
}

/** A key management service as a host would call one: it wraps by itself and may be away. */
function keyService(current: string): SecretKeyService & { calls: string[]; away: boolean } {
  const keys = new Map<string, Uint8Array>();
  const keyOf = (id: string): Uint8Array => {
    const key = keys.get(id) ?? newKey();
    keys.set(id, key);
    return key;
  };
  const service = {
    current,
    calls: [] as string[],
    away: false,
    encrypt: async (dataKey: Uint8Array, { keyId }: { readonly keyId: string }) => {
      service.calls.push(`encrypt ${keyId}`);
      if (service.away) throw Object.assign(new Error('the service is away'), { config: { dataKey } });
      const cipher = createCipheriv('aes-256-ctr', keyOf(keyId), Buffer.alloc(16));
      return new Uint8Array(Buffer.concat([cipher.update(dataKey), cipher.final()]));
    },
    decrypt: async (encrypted: Uint8Array, { keyId }: { readonly keyId: string }) => {
      service.calls.push(`decrypt ${keyId}`);
      if (service.away) throw new Error('the service is away');
      const decipher = createDecipheriv('aes-256-ctr', keyOf(keyId), Buffer.alloc(16));
      return new Uint8Array(Buffer.concat([decipher.update(encrypted), decipher.final()]));
    },
  };
  return service;
}

/** What a store is given of a service. */
function callbacks(service: SecretKeyService, current = service.current): SecretKeyService {
  return { current, encrypt: service.encrypt, decrypt: service.decrypt };
}

describe('what the database has', () => {
  it('shows no value and no key in any row of any table', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    const k1 = newKey();
    const store = await opened(schema, { current: 'k1', keys: { k1 } });
    const canary = 'canary-8c1f2e';
    await put(store, { 'fs:TOKEN': canary, 'fs:OTHER': `${canary}, longer` });
    const { rows: tables } = await pool.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = $1`,
      [schema],
    );
    const dumps = await Promise.all(
      tables.map(({ name }) =>
        pool.query<{ line: string }>(`select t::text as line from ${schema}.${name} t`),
      ),
    );
    const dump = dumps.flatMap(({ rows }) => rows.map(({ line }) => line)).join('\n');
    expect(dump).toContain('TOKEN');
    for (const text of [canary, Buffer.from(canary).toString('hex'), ...spellings(k1)])
      expect(dump).not.toContain(text);
  });

  it('seals the same value twice into rows that have nothing in common', async () => {
    const schema = newSchema();
    const store = await opened(schema, { current: 'k1', keys: { k1: newKey() } });
    await put(store, { 'fs:A': 'same', 'fs:B': 'same' });
    const { rows } = await postgres().pool.query(
      `select count(distinct body)::int as bodies, count(distinct data_key)::int as keys from ${schema}.secrets`,
    );
    expect(rows).toEqual([{ bodies: 2, keys: 2 }]);
  });

  it.each(['scope', 'key'])('does not open a row that was copied to another %s', async (column) => {
    const schema = newSchema();
    const store = await opened(schema, { current: 'k1', keys: { k1: newKey() } });
    await put(store, { 'fs:TOKEN': 'canary-of-fs' });
    const other = column === 'scope' ? `'OTHER', key` : `scope, 'OTHER'`;
    await postgres().pool.query(
      `insert into ${schema}.secrets select ${other}, key_id, data_key, body from ${schema}.secrets`,
    );
    const copied = column === 'scope' ? 'OTHER:TOKEN' : 'fs:OTHER';
    const error = await failureOf(reveal(store, [copied]));
    expect(error).toMatchObject({
      code: 'SECRET_BACKEND_FAILED',
      retryable: false,
      details: { secret: copied },
    });
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
    expect(await reveal(store, ['fs:TOKEN'])).toEqual({ 'fs:TOKEN': 'canary-of-fs' });
  });

  it('does not open a row that was copied to another store under the same key', async () => {
    const [from, to] = [newSchema(), newSchema()];
    const keys = { current: 'k1', keys: { k1: newKey() } };
    const store = await opened(from, keys);
    const other = await opened(to, keys);
    await put(store, { 'fs:TOKEN': 'canary' });
    await postgres().pool.query(`insert into ${to}.secrets select * from ${from}.secrets`);
    await expect(reveal(other, ['fs:TOKEN'])).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
  });

  it('does not open a row of which one bit was changed', async () => {
    const schema = newSchema();
    const store = await opened(schema, { current: 'k1', keys: { k1: newKey() } });
    for (const column of ['data_key', 'body']) {
      await put(store, { 'fs:TOKEN': 'canary' });
      await postgres().pool.query(
        `update ${schema}.secrets set ${column} = set_bit(${column}, 150, 1 - get_bit(${column}, 150))`,
      );
      await expect(reveal(store, ['fs:TOKEN'])).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
    }
  });
});

describe('the keys at the start', () => {
  it('says which key id is missing, and shows no key', async () => {
    const schema = newSchema();
    const [k1, k2] = [newKey(), newKey()];
    await put(await opened(schema, { current: 'k1', keys: { k1 } }), { 'fs:TOKEN': 'canary' });
    const error = await failureOf(storeOf(schema, { current: 'k2', keys: { k2 } }).open?.());
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { missing: ['k1'] } });
    expect(error.message).toContain('"k1"');
    for (const text of [...spellings(k1), ...spellings(k2)])
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(text);
  });

  it('refuses a wrong key under an id that is in use, also before there are secrets', async () => {
    const schema = newSchema();
    const k1 = newKey();
    await opened(schema, { current: 'k1', keys: { k1 } });
    const error = await failureOf(storeOf(schema, { current: 'k1', keys: { k1: newKey() } }).open?.());
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { wrong: 'k1' } });
  });

  it('lets one of several processes that begin with different keys win', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 4 }, () =>
      storeOf(schema, { current: 'k1', keys: { k1: newKey() } }),
    );
    const outcomes = await Promise.allSettled(stores.map(async (store) => store.open?.()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each([
    ['15 bytes', { current: 'k1', keys: { k1: new Uint8Array(15) } }, /32 random bytes, got 15 bytes/],
    ['a text', { current: 'k1', keys: { k1: 'c4n4ry' } }, /32 random bytes, got /],
    ['no current key', { current: 'k2', keys: { k1: new Uint8Array(32) } }, /no key of the id .* "k2"/],
    ['a misspelt field', { curent: 'k1', keys: {} }, /did you mean "current"/],
    ['half a service', { current: 'k1', encrypt: () => undefined }, /keys.decrypt to be a function/],
    ['nothing', undefined, /expected keys to be/],
    ['no keys', { current: 'k1', keys: null }, /expected keys to be/],
  ])('refuses %s', (_, keys, message) => {
    const make = () => pgliteSecrets({ keys: keys as SecretKeys });
    expect(make).toThrow(message);
    expect(make).not.toThrow(/c4n4ry/);
  });

  it('ends the start of an infra', async () => {
    const schema = newSchema();
    await opened(schema, { current: 'k1', keys: { k1: newKey() } });
    const infra = createMCPInfra({
      providers: [fakeProvider()],
      secrets: [storeOf(schema, { current: 'k1', keys: { k1: newKey() } })],
    });
    onTestFinished(async () => {
      await infra.stop();
    });
    await expect(infra.start()).rejects.toMatchObject({ code: 'INVALID_OPTIONS', details: { wrong: 'k1' } });
  });

  it('leaves the name of the fleet to the store that shares its schema', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    await opened(schema, { current: 'k1', keys: { k1: newKey() } });
    const store = postgresStore({ pool, schema, fleet: 'prod' });
    expect(await store.open()).toMatchObject({ fleet: 'prod' });
    await store.close();
  });

  it('keeps no connection beside the pool once it is open', async () => {
    const { pool } = postgres();
    const count = async (): Promise<number> => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      return rows.length;
    };
    await Promise.all(Array.from({ length: 10 }, () => pool.query('select pg_sleep(0.01)')));
    const before = await count();
    await opened(newSchema(), { current: 'k1', keys: { k1: newKey() } });
    await expect.poll(count).toBeLessThanOrEqual(before);
  });
});

describe('rotateKeys()', () => {
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`s${n % 7}:K${n}`, `value ${n}`]));

  it('seals all values anew while two processes rotate, read and write', async () => {
    const schema = newSchema();
    const [k1, k2] = [newKey(), newKey()];
    const old = await opened(schema, { current: 'k1', keys: { k1, k2 } });
    await put(old, many);
    const [one, two] = [
      await opened(schema, { current: 'k2', keys: { k1, k2 } }),
      await opened(schema, { current: 'k2', keys: { k1, k2 } }),
    ];
    let rotating = true;
    let reads = 0;
    const reading = async (store: SealedSecretStore): Promise<void> => {
      do {
        expect(await reveal(store, Object.keys(many))).toEqual(many);
        reads += 1;
      } while (rotating);
    };
    const writing = async (): Promise<void> => {
      for (let n = 0; n < 20; n += 1) await put(two, { 'written:K': `${n}` });
    };
    const rotations = Promise.all([one.rotateKeys(), two.rotateKeys(), writing()]).finally(() => {
      rotating = false;
    });
    const [[first, second]] = await Promise.all([rotations, reading(old), reading(one)]);
    expect(reads).toBeGreaterThan(1);
    expect(first.resealed + second.resealed).toBe(120);
    expect([first, second]).toMatchObject([{ remaining: 0 }, { remaining: 0 }]);
    expect(await underKeys(schema)).toEqual({ k2: 121 });
    expect(await one.rotateKeys()).toEqual({ resealed: 0, remaining: 0, unreadable: [] });

    // The old key is no longer needed.
    const later = await opened(schema, { current: 'k2', keys: { k2 } });
    expect(await reveal(later, [...Object.keys(many), 'written:K'])).toEqual({ ...many, 'written:K': '19' });
  });

  it('goes on where it was ended', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    await put(await opened(schema, callbacks(service)), many);
    const ending = new AbortController();
    let wrapped = 0;
    let listeners = 0;
    const store = await opened(schema, {
      ...callbacks(service, 'k2'),
      encrypt: (dataKey, options) => {
        wrapped += 1;
        listeners = Math.max(listeners, getEventListeners(ending.signal, 'abort').length);
        // In the second batch.
        if (wrapped === 70) ending.abort();
        return service.encrypt(dataKey, options);
      },
    });
    await expect(store.rotateKeys({ signal: ending.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await underKeys(schema)).toEqual({ k1: 70, k2: 50 });
    // From eleven on Node warns of a leak.
    expect(listeners).toBeLessThan(5);
    expect(await store.rotateKeys()).toEqual({ resealed: 70, remaining: 0, unreadable: [] });
    expect(await reveal(store, Object.keys(many))).toEqual(many);
  });

  it('does not bring back what was deleted or replaced while it was at it', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    const store = await opened(schema, callbacks(service));
    await put(store, { 'fs:DELETED': 'one', 'fs:REPLACED': 'one', 'fs:KEPT': 'one' });
    const meddling: SecretKeyService = {
      ...callbacks(service, 'k2'),
      encrypt: async (dataKey, options) => {
        if (rotating) {
          await store.delete(reference('fs:DELETED'));
          await put(store, { 'fs:REPLACED': 'two' });
        }
        return service.encrypt(dataKey, options);
      },
    };
    let rotating = false;
    const rotator = await opened(schema, meddling);
    rotating = true;
    expect(await rotator.rotateKeys()).toEqual({ resealed: 1, remaining: 1, unreadable: [] });
    rotating = false;
    expect(await reveal(store, ['fs:DELETED', 'fs:REPLACED', 'fs:KEPT'])).toEqual({
      'fs:REPLACED': 'two',
      'fs:KEPT': 'one',
    });
    expect(await rotator.rotateKeys()).toMatchObject({ resealed: 1, remaining: 0 });
  });

  it('names the values that cannot be read, and seals the others anew', async () => {
    const schema = newSchema();
    const [k1, k2] = [newKey(), newKey()];
    await put(await opened(schema, { current: 'k1', keys: { k1 } }), {
      'fs:A': '1',
      'fs:B': '2',
      'fs:C': '3',
    });
    await postgres().pool.query(`update ${schema}.secrets set body = '\\x00' where key = 'B'`);
    const store = await opened(schema, { current: 'k2', keys: { k1, k2 } });
    expect(await store.rotateKeys()).toEqual({ resealed: 2, remaining: 1, unreadable: ['fs:B'] });
    expect(await underKeys(schema)).toEqual({ k1: 1, k2: 2 });
  });

  it('says at a read which key a process does not have yet, when another one is ahead', async () => {
    const schema = newSchema();
    const [k1, k2] = [newKey(), newKey()];
    const behind = await opened(schema, { current: 'k1', keys: { k1 } });
    const ahead = await opened(schema, { current: 'k2', keys: { k1, k2 } });
    await put(ahead, { 'fs:TOKEN': 'canary' });
    const error = await failureOf(reveal(behind, ['fs:TOKEN']));
    expect(error).toMatchObject({ code: 'SECRET_BACKEND_FAILED', details: { keyId: 'k2' } });
  });
});

describe('a key management service', () => {
  it('wraps one data key for each write, and gives it back for each value that is read', async () => {
    const schema = newSchema();
    const service = keyService('arn:key/1');
    const store = await opened(schema, callbacks(service));
    service.calls.length = 0;
    await put(store, { 'fs:A': 'one', 'fs:B': 'two' });
    expect(service.calls).toEqual(['encrypt arn:key/1', 'encrypt arn:key/1']);
    expect(await reveal(store, ['fs:A', 'fs:B', 'fs:ABSENT'])).toEqual({ 'fs:A': 'one', 'fs:B': 'two' });
    expect(service.calls.slice(2)).toEqual(['decrypt arn:key/1', 'decrypt arn:key/1']);
    expect(await underKeys(schema)).toEqual({ 'arn:key/1': 2 });
  });

  it('is asked for the key a value is under, and for the new one by rotateKeys()', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    await put(await opened(schema, callbacks(service)), { 'fs:A': 'one' });
    const store = await opened(schema, callbacks(service, 'k2'));
    expect(await reveal(store, ['fs:A'])).toEqual({ 'fs:A': 'one' });
    expect(await store.rotateKeys()).toMatchObject({ resealed: 1, remaining: 0 });
    service.calls.length = 0;
    expect(await reveal(store, ['fs:A'])).toEqual({ 'fs:A': 'one' });
    expect(service.calls).toEqual(['decrypt k2']);
  });

  it('that fails is told without what was sent to it, and nothing is written', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    const store = await opened(schema, callbacks(service));
    await put(store, { 'fs:A': 'one' });
    service.away = true;
    const error = await failureOf(store.put(reference('fs:A'), new Secret('canary')));
    expect(error).toMatchObject({ code: 'SECRET_BACKEND_FAILED', retryable: true });
    expect(error.message).toContain('the service is away');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|dataKey/);
    await expect(reveal(store, ['fs:A'])).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
    service.away = false;
    expect(await reveal(store, ['fs:A'])).toEqual({ 'fs:A': 'one' });
  });

  it('that gives another key is found at the start', async () => {
    const schema = newSchema();
    await opened(schema, callbacks(keyService('k1')));
    const error = await failureOf(storeOf(schema, callbacks(keyService('k1'))).open?.());
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { wrong: 'k1' } });
  });

  it('that gives no bytes has failed', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    const none = async (): Promise<undefined> => undefined;
    await put(await opened(schema, callbacks(service)), { 'fs:A': 'one' });
    const error = await failureOf(storeOf(schema, { ...callbacks(service), decrypt: none }).open?.());
    expect(error).toMatchObject({ code: 'SECRET_BACKEND_FAILED', details: { keyId: 'k1' } });
  });

  it('that never answers does not hold up a call that is given up', async () => {
    const schema = newSchema();
    const service = keyService('k1');
    let hang = false;
    const store = await opened(schema, {
      ...callbacks(service),
      encrypt: (dataKey, options) =>
        hang ? new Promise(() => undefined) : service.encrypt(dataKey, options),
    });
    hang = true;
    const giveUp = new AbortController();
    const putting = store.put(reference('fs:A'), new Secret('one'), { signal: giveUp.signal });
    giveUp.abort();
    await expect(putting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await reveal(store, ['fs:A'])).toEqual({});
  });
});

it('refuses half of a surrogate pair instead of changing it', async () => {
  const store = await opened(newSchema(), { current: 'k1', keys: { k1: newKey() } });
  await expect(store.put(reference('fs:A'), new Secret('\ud83d'))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

it('shares an embedded database with the state', async () => {
  const pglite = await PGlite.create();
  const store = pgliteStore({ pglite });
  const secrets = pgliteSecrets({ pglite, keys: { current: 'k1', keys: { k1: newKey() } } });
  await Promise.all([store.open(), secrets.open?.()]);
  await put(secrets, { 'fs:A': 'one' });
  expect(await reveal(secrets, ['fs:A'])).toEqual({ 'fs:A': 'one' });
  expect(secrets.durable).toBe(false);
  await secrets.close?.();
  await store.close();
  await pglite.close();
}, 60_000);
