import { OptionChecks } from '@mcpinfra/core/plugin';
import { checkOptions } from '../check-options.js';
import { postgresDatabase } from '../database/postgres-database.js';
import type { PostgresPool } from '../database/postgres-pool.js';
import { keyHolder } from './key-holder.js';
import type { SecretKeys } from './secret-keys.js';
import { type SealedSecretStore, SqlSecretStore } from './sql-secret-store.js';

/** Options of {@link postgresSecrets}. Either `pool` or `connectionString` is given. */
export interface PostgresSecretsOptions {
  /** The keys under which values are sealed. They are never written to the database. */
  readonly keys: SecretKeys;
  /** A pool of the host, which goes on belonging to it. @defaultValue a pool of the store's own */
  readonly pool?: PostgresPool | undefined;
  /** Where the database is, for a pool of the store's own: `postgres://user:password@host:5432/database`. */
  readonly connectionString?: string | undefined;
  /** The schema that has the tables: small letters, digits and `_`. It is made. @defaultValue `'mcpinfra'` */
  readonly schema?: string | undefined;
  /** Whether connections keep statements prepared; some poolers forbid it. @defaultValue true */
  readonly prepared?: boolean | undefined;
  /** How long opening waits for a database that cannot be reached yet, in milliseconds. @defaultValue 10 000 */
  readonly connectTimeoutMs?: number | undefined;
}

const check = new OptionChecks('postgresSecrets');
const known = [
  'keys',
  'pool',
  'connectionString',
  'schema',
  'prepared',
  'connectTimeoutMs',
] as const satisfies readonly (keyof PostgresSecretsOptions)[];

/**
 * Makes a secret store in a PostgreSQL server, 15 or newer, which any number of processes may share.
 *
 * Each value is encrypted under a data key of its own, and that under a key of the host (AES-256-GCM). Nothing is
 * connected before the store is opened; opening refuses keys that are missing or wrong.
 *
 * @example
 * ```ts
 * const secrets = postgresSecrets({ pool, keys: { current: 'k1', keys: { k1: masterKey } } });
 * const infra = createMCPInfra({ providers: [dockerProvider()], secrets: [secrets] });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function postgresSecrets(options: PostgresSecretsOptions): SealedSecretStore {
  checkOptions(options, known, check);
  const { schema = 'mcpinfra', keys } = options;
  const database = postgresDatabase(options, { check, schema });
  return new SqlSecretStore({
    name: 'postgres',
    database,
    schema,
    keys: keyHolder(keys, check),
    onOpened: () => database.direct.close(),
  });
}
