import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { secretResolverSuite } from '@mcpinfra/conformance/secret-resolver';
import { pgliteSecrets, postgresSecrets } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, it } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';
import { newKey } from './support/secrets.js';

describe.each([
  ['the PostgreSQL of this machine', 'machine'],
  ['the current PostgreSQL', 'npm'],
] as const)('%s', (_, from) => {
  const postgres = serviceOrSkip(() => startTestPostgres({ from }));
  secretResolverSuite({
    it,
    create: () => {
      const { pool } = postgres();
      const schema = newSchema();
      const keys = { current: 'k1', keys: { k1: newKey() } };
      return {
        resolver: postgresSecrets({ pool, schema, keys }),
        another: () => postgresSecrets({ pool, schema, keys }),
        unreachable: () =>
          postgresSecrets({
            connectionString: 'postgres://somebody@127.0.0.1:1/secrets',
            keys,
            connectTimeoutMs: 0,
          }),
        dispose: async () => {
          await pool.query(`drop schema if exists ${schema} cascade`);
        },
      };
    },
  });
});

describe('PGlite in a folder', () => {
  // One database for all cases: booting one takes longer than any of them.
  const embedded = serviceOrSkip(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcpinfra-secrets-'));
    const pglite = await PGlite.create(join(folder, 'db'));
    return {
      pglite,
      stop: async () => {
        await pglite.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });
  secretResolverSuite({
    it,
    create: () => {
      const { pglite } = embedded();
      const schema = newSchema();
      const keys = { current: 'k1', keys: { k1: newKey() } };
      return {
        resolver: pgliteSecrets({ pglite, schema, keys }),
        another: () => pgliteSecrets({ pglite, schema, keys }),
        dispose: async () => {
          await pglite.exec(`drop schema if exists ${schema} cascade`);
        },
      };
    },
  });
});
