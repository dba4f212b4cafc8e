import { OptionChecks, type Store } from '@mcpinfra/core/plugin';
import { checkOptions } from './check-options.js';
import { embeddedDatabase } from './database/embedded-database.js';
import type { EmbeddedPostgres } from './database/pglite-database.js';
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

const check = new OptionChecks('pgliteStore');
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
  checkOptions(options, known, check);
  const { schema = 'mcpinfra', fleet } = options;
  return new SqlStore({ schema, fleet, database: embeddedDatabase(options, check) });
}
