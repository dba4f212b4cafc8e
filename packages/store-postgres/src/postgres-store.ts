import { type ClientConfig, Pool } from 'pg';
import type { Store } from '@mcpinfra/core/plugin';
import { checkOptions, invalid } from './check-options.js';
import { connectClient, keepClient, whereIs } from './database/own-client.js';
import { OwnConnection, type OwnConnectionParts } from './database/own-connection.js';
import { PoolDatabase, type PoolDatabaseParts } from './database/pool-database.js';
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

const factory = 'postgresStore';
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
  checkOptions(options, { factory, known });
  const { direct, schema = 'mcpinfra', fleet, prepared = true, connectTimeoutMs = 10_000 } = options;
  if (!Number.isFinite(connectTimeoutMs) || connectTimeoutMs < 0) {
    throw invalid(factory, `takes as connectTimeoutMs a number of milliseconds, not ${connectTimeoutMs}`);
  }
  const { pool, end } = poolOf(options);
  const { make, where } = directOf(direct ?? pool);
  const session = { prepared, where };
  const own = new OwnConnection({ ...session, make, connectTimeoutMs, channel: `mcpinfra_${schema}` });
  return new SqlStore({ schema, fleet, database: new PoolDatabase({ ...session, pool, end, direct: own }) });
}

function poolOf({ pool, connectionString }: PostgresStoreOptions): Pick<PoolDatabaseParts, 'pool' | 'end'> {
  if (pool !== undefined && connectionString === undefined) return { pool };
  if (pool !== undefined || connectionString === undefined) {
    throw invalid(factory, 'takes either a pool or a connectionString');
  }
  const own = new Pool(configOf('connectionString', connectionString));
  return { pool: own, end: () => own.end() };
}

/** How the connection beside the pool is made, and what the database is called in messages. */
function directOf(source: PostgresPool | string): Pick<OwnConnectionParts, 'make' | 'where'> {
  const asOptionsSay = (options: ClientConfig): ReturnType<typeof directOf> => ({
    make: () => connectClient(options),
    where: whereIs(options) ?? 'PostgreSQL',
  });
  if (typeof source === 'string') return asOptionsSay(configOf('direct', source));
  if (source.options !== undefined) return asOptionsSay(source.options);
  return { make: () => keepClient(source), where: 'PostgreSQL' };
}

/** @throws `INVALID_OPTIONS`, without the URL: it may hold a password */
function configOf(option: string, connectionString: string): ClientConfig {
  const config = { connectionString };
  if (whereIs(config) === undefined) {
    throw invalid(factory, `takes as ${option} a URL like postgres://user:password@host:5432/database`);
  }
  return config;
}
