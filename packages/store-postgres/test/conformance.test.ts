import { PGlite } from '@electric-sql/pglite';
import { storeSuite } from '@mcpinfra/conformance/store';
import { pgliteStore, postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, it } from 'vitest';
import { newSchema, startTestPostgres } from './support/postgres.js';

describe.each([
  ['the PostgreSQL of this machine', 'machine'],
  ['the current PostgreSQL', 'npm'],
] as const)('%s', (_, from) => {
  const postgres = serviceOrSkip(() => startTestPostgres({ from }));
  storeSuite({
    it,
    create: async () => {
      const { pool } = postgres();
      const schema = newSchema();
      return {
        store: postgresStore({ pool, schema }),
        reopen: () => postgresStore({ pool, schema }),
        dispose: async () => {
          await pool.query(`drop schema if exists ${schema} cascade`);
        },
      };
    },
  });
});

describe('PGlite', () => {
  // One database for all cases: booting one takes longer than any of them.
  const embedded = serviceOrSkip(async () => {
    const pglite = await PGlite.create();
    return { pglite, stop: () => pglite.close() };
  });
  storeSuite({
    it,
    create: async () => {
      const { pglite } = embedded();
      const schema = newSchema();
      return {
        store: pgliteStore({ pglite, schema }),
        dispose: async () => {
          await pglite.exec(`drop schema if exists ${schema} cascade`);
        },
      };
    },
  });
});
