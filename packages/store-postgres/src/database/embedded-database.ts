import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type * as pglitePackage from '@electric-sql/pglite';
import { type FileLock, lockFile, mcpError, MCPInfraError, type OptionChecks } from '@mcpinfra/core/plugin';
import {
  EmbeddedDatabase,
  type EmbeddedDatabaseParts,
  type EmbeddedPostgres,
  type OpenEmbedded,
} from './pglite-database.js';

/** Which embedded database a host wants. */
export interface EmbeddedDatabaseOptions {
  readonly dataDir?: string | undefined;
  readonly pglite?: EmbeddedPostgres | undefined;
}

/**
 * Makes the database that the options describe. Nothing is loaded before it is opened.
 *
 * @throws `INVALID_OPTIONS`
 */
export function embeddedDatabase(
  { dataDir, pglite }: EmbeddedDatabaseOptions,
  check: OptionChecks,
): EmbeddedDatabase {
  if (dataDir !== undefined) check.text('dataDir', dataDir);
  if (dataDir !== undefined && pglite !== undefined) {
    throw check.wrong('expected either a dataDir or a pglite, which has one already');
  }
  return new EmbeddedDatabase(pglite === undefined ? ownDatabase(dataDir, check) : givenDatabase(pglite));
}

function givenDatabase(pglite: EmbeddedPostgres): EmbeddedDatabaseParts {
  // Whether it outlives the process is the host's to know; it is said so where there is a folder.
  const durable = pglite.dataDir !== undefined && !pglite.dataDir.startsWith('memory:');
  return { durable, where: 'PGlite', open: async () => ({ pglite, close: async () => undefined }) };
}

function ownDatabase(dataDir: string | undefined, check: OptionChecks): EmbeddedDatabaseParts {
  return {
    durable: dataDir !== undefined,
    exclusive: true,
    where: dataDir === undefined ? 'PGlite' : `PGlite in ${dataDir}`,
    open: async () => {
      const { PGlite } = await loadPGlite(check);
      if (dataDir === undefined) return opened(await PGlite.create());
      const folder = resolve(dataDir);
      await mkdir(dirname(folder), { recursive: true });
      const lock = await lockFile(`${folder}.lock`).catch((error: unknown) => {
        throw isOurs(error) ? openTwice(dataDir, error) : error;
      });
      try {
        return opened(await PGlite.create(folder), lock);
      } catch (error) {
        await lock.release();
        throw error;
      }
    },
  };
}

/** Whether the lock is held by this process itself. */
function isOurs(error: unknown): error is MCPInfraError {
  if (!MCPInfraError.isInstance(error) || error.code !== 'STORE_LOCKED') return false;
  return error.details['pid'] === process.pid && error.details['host'] === hostname();
}

function openTwice(dataDir: string, cause: MCPInfraError): MCPInfraError {
  return mcpError(
    'STORE_LOCKED',
    `The folder ${dataDir} is open in this process already, as where pgliteStore and pgliteSecrets are given the same ` +
      'dataDir. One PGlite has it; share that: ' +
      `const pglite = await PGlite.create('${dataDir}'); pgliteStore({ pglite }); pgliteSecrets({ pglite, keys }).`,
    { cause, details: cause.details },
  );
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

async function loadPGlite(check: OptionChecks): Promise<typeof pglitePackage> {
  try {
    return await import('@electric-sql/pglite');
  } catch (cause) {
    throw check.wrong(
      'it needs the package @electric-sql/pglite, which could not be loaded: npm install @electric-sql/pglite@0.5',
      { cause },
    );
  }
}
