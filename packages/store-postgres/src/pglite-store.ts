import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type * as pglitePackage from '@electric-sql/pglite';
import { type FileLock, lockFile, mcpError, type Store } from '@mcpinfra/core/plugin';
import { checkOptions, invalid } from './check-options.js';
import {
  EmbeddedDatabase,
  type EmbeddedDatabaseParts,
  type EmbeddedPostgres,
  type OpenEmbedded,
} from './database/pglite-database.js';

import { SqlStore } from './sql-store.js';

/** Options of {@link pgliteStore}. */
export interface PGliteStoreOptions {
  /**
   * The folder of the database, which is made. One process at a time may use it.
   *
   * @defaultValue none: everything ends with the process
   */
  readonly dataDir?: string | undefined;
  /** A PGlite of the host, which goes on belonging to it. @defaultValue one of the store's own */
  readonly pglite?: EmbeddedPostgres | undefined;
  /** The schema that has the tables: small letters, digits and `_`. It is made. @defaultValue `'mcpinfra'` */
  readonly schema?: string | undefined;
  /**
   * The name of the fleet: letters, digits, `.`, `_` and `-`, at most 63.
   *
   * @defaultValue a name that is made once and kept in the store
   */
  readonly fleet?: string | undefined;
}

const factory = 'pgliteStore';
const known = [
  'dataDir',
  'pglite',
  'schema',
  'fleet',
] as const satisfies readonly (keyof PGliteStoreOptions)[];

/**
 * Makes a store in a PostgreSQL that runs inside this process: no server, one process.
 *
 * It needs `@electric-sql/pglite`, which is loaded when the store is opened.
 *
 * @example
 * ```ts
 * const infra = createMCPInfra({ providers: [processProvider()], store: pgliteStore({ dataDir: './data' }) });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function pgliteStore(options: PGliteStoreOptions = {}): Store {
  checkOptions(options, { factory, known });
  const { dataDir, pglite, schema = 'mcpinfra', fleet } = options;
  if (dataDir === '') throw invalid(factory, 'takes as dataDir the path of a folder, not an empty text');
  if (dataDir !== undefined && pglite !== undefined) {
    throw invalid(factory, 'takes either a dataDir or a pglite, which has one already');
  }
  const parts = pglite === undefined ? ownDatabase(dataDir) : givenDatabase(pglite);
  return new SqlStore({ schema, fleet, database: new EmbeddedDatabase(parts) });
}

function givenDatabase(pglite: EmbeddedPostgres): EmbeddedDatabaseParts {
  // Whether it outlives the process is the host's to know; it is said so where there is a folder.
  const durable = pglite.dataDir !== undefined && !pglite.dataDir.startsWith('memory:');
  return { durable, where: 'PGlite', open: async () => ({ pglite, close: async () => undefined }) };
}

function ownDatabase(dataDir: string | undefined): EmbeddedDatabaseParts {
  return {
    durable: dataDir !== undefined,
    where: dataDir === undefined ? 'PGlite' : `PGlite in ${dataDir}`,
    open: async () => {
      const { PGlite } = await loadPGlite();
      if (dataDir === undefined) return opened(await PGlite.create());
      const folder = resolve(dataDir);
      await mkdir(dirname(folder), { recursive: true });
      const lock = await lockFile(`${folder}.lock`);
      try {
        return opened(await PGlite.create(folder), lock);
      } catch (error) {
        await lock.release();
        throw error;
      }
    },
  };
}

function opened(pglite: pglitePackage.PGlite, lock?: FileLock): OpenEmbedded {
  return {
    pglite,
    close: async () => {
      await pglite.close();
      await lock?.release();
    },
  };
}

async function loadPGlite(): Promise<typeof pglitePackage> {
  try {
    return await import('@electric-sql/pglite');
  } catch (cause) {
    throw mcpError(
      'INVALID_OPTIONS',
      'pgliteStore() needs the package @electric-sql/pglite, which could not be loaded: npm install @electric-sql/pglite@0.5',
      { cause },
    );
  }
}
