import { OptionChecks, type Store } from '@mcpinfra/core/plugin';
import { checkOptions } from './check-options.js';
import { postgresDatabase } from './database/postgres-database.js';
import type { PostgresPool } from './database/postgres-pool.js';
import { SqlStore } from './sql-store.js';

/** Options of {@link postgresStore}. Either `pool` or `connectionString` is given. */
export interface PostgresStoreOptions {
  /** A pool of the host, which goes on belonging to it. @defaultValue a pool of the store's own */
  readonly pool?: PostgresPool | undefined;
  /** Where the database is, for a pool of the store's own: `postgres://user:password@host:5432/database`. */
  readonly connectionString?: string | undefined;
  /**
   * How the one connection beside the pool is made, for leases, the clock and news: past a pooler, directly to the server.
   *
   * @defaultValue as those of the pool
   */
  readonly direct?: PostgresPool | string | undefined;
  /** The schema that has the tables: small letters, digits and `_`. It is made. @defaultValue `'mcpinfra'` */
  readonly schema?: string | undefined;
  /**
   * The name of the fleet: letters, digits, `.`, `_` and `-`, at most 63.
   *
   * @defaultValue a name that is made once and kept in the store
   */
  readonly fleet?: string | undefined;
  /** Whether connections keep statements prepared; some poolers forbid it. @defaultValue true */
  readonly prepared?: boolean | undefined;
  /** How long opening waits for a database that cannot be reached yet, in milliseconds. @defaultValue 10 000 */
  readonly connectTimeoutMs?: number | undefined;
}

const check = new OptionChecks('postgresStore');
const known = [
  'pool',
  'connectionString',
  'direct',
  'schema',
  'fleet',
  'prepared',
  'connectTimeoutMs',
] as const satisfies readonly (keyof PostgresStoreOptions)[];

/**
 * Makes a store in a PostgreSQL server, 15 or newer, which any number of processes may share.
 *
 * It holds one connection beside the pool, so that a pool that is busy costs no process its leases. Nothing is connected
 * before the store is opened.
 *
 * @example
 * ```ts
 * const infra = createMCPInfra({ providers: [dockerProvider()], store: postgresStore({ pool }) });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function postgresStore(options: PostgresStoreOptions): Store {
  checkOptions(options, known, check);
  const { schema = 'mcpinfra', fleet } = options;
  return new SqlStore({ schema, fleet, database: postgresDatabase(options, { check, schema }) });
}
