import type { OptionChecks } from '@mcpinfra/core/plugin';
import type { ClientConfig } from 'pg';
import { connectClient, keepClient, whereIs } from './own-client.js';
import { OwnConnection, type OwnConnectionParts } from './own-connection.js';
import { ownPool } from './own-pool.js';
import { PoolDatabase, type PoolDatabaseParts } from './pool-database.js';
import type { PostgresPool } from './postgres-pool.js';

/** Which server a host wants, and how it is reached. */
export interface PostgresDatabaseOptions {
  readonly pool?: PostgresPool | undefined;
  readonly connectionString?: string | undefined;
  readonly direct?: PostgresPool | string | undefined;
  readonly prepared?: boolean | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

/** For whom a database is made. */
interface Maker {
  readonly check: OptionChecks;
  readonly schema: string;
}

/**
 * Makes the database that the options describe. Nothing is connected before it is opened.
 *
 * @throws `INVALID_OPTIONS`
 */
export function postgresDatabase(options: PostgresDatabaseOptions, { check, schema }: Maker): PoolDatabase {
  const { direct, prepared = true, connectTimeoutMs = 10_000 } = options;
  check.whole('connectTimeoutMs', connectTimeoutMs, { least: 0 });
  const { pool, end } = poolOf(options, check);
  const { make, where } = directOf(direct ?? pool, check);
  const session = { prepared, where };
  const own = new OwnConnection({ ...session, make, connectTimeoutMs, channel: `mcpinfra_${schema}` });
  const sharesPool = direct === undefined && pool.options === undefined;
  return new PoolDatabase({ ...session, pool, end, sharesPool, direct: own });
}

function poolOf(
  { pool, connectionString }: PostgresDatabaseOptions,
  check: OptionChecks,
): Pick<PoolDatabaseParts, 'pool' | 'end'> {
  if (pool !== undefined && connectionString === undefined) {
    refuseSmallPool(pool, check);
    return { pool };
  }
  if (pool !== undefined || connectionString === undefined) {
    throw check.wrong('expected either a pool or a connectionString');
  }
  return ownPool(configOf(connectionString, 'connectionString', check));
}

/** Work that holds a connection asks for another at times, and with a pool of one would wait for itself. */
function refuseSmallPool({ options }: PostgresPool, check: OptionChecks): void {
  const max: unknown = options && Reflect.get(options, 'max');
  if (typeof max !== 'number' || max >= leastConnections) return;
  throw check.wrong(
    `expected pool to have two connections or more, but its max is ${String(max)}: a call that waits while another ` +
      'holds the only one would wait for ever. Make it by new Pool({ connectionString, max: 2 }), or more for more calls at once',
  );
}

const leastConnections = 2;

/** How the connection beside the pool is made, and what the database is called in messages. */
function directOf(
  source: PostgresPool | string,
  check: OptionChecks,
): Pick<OwnConnectionParts, 'make' | 'where'> {
  const asOptionsSay = (options: ClientConfig): ReturnType<typeof directOf> => ({
    make: (signal) => connectClient(options, signal),
    where: whereIs(options) ?? 'PostgreSQL',
  });
  if (typeof source === 'string') return asOptionsSay(configOf(source, 'direct', check));
  if (source.options !== undefined) return asOptionsSay(source.options);
  return { make: () => keepClient(source), where: 'PostgreSQL' };
}

/** @throws `INVALID_OPTIONS`, without the URL: it may hold a password */
function configOf(connectionString: string, option: string, check: OptionChecks): ClientConfig {
  const config = { connectionString };
  if (whereIs(config) === undefined) {
    throw check.wrong(`expected ${option} to be a URL like postgres://user:password@host:5432/database`);
  }
  return config;
}
