import { OptionChecks } from '@mcpinfra/core/plugin';
import { checkOptions } from '../check-options.js';
import { embeddedDatabase } from '../database/embedded-database.js';
import type { EmbeddedPostgres } from '../database/pglite-database.js';
import { keyHolder } from './key-holder.js';
import type { SecretKeys } from './secret-keys.js';
import { type SealedSecretStore, SqlSecretStore } from './sql-secret-store.js';

/** Options of {@link pgliteSecrets}. */
export interface PGliteSecretsOptions {
  /** The keys under which values are sealed. They are never written to the database. */
  readonly keys: SecretKeys;
  /**
   * The folder of the database, which is made. One process at a time may use it, and there one store: where `pgliteStore`
   * has its tables too, give both the same `pglite`.
   *
   * @defaultValue none: everything ends with the process
   */
  readonly dataDir?: string | undefined;
  /** A PGlite of the host, which goes on belonging to it. @defaultValue one of the store's own */
  readonly pglite?: EmbeddedPostgres | undefined;
  /** The schema that has the tables: small letters, digits and `_`. It is made. @defaultValue `'mcpinfra'` */
  readonly schema?: string | undefined;
}

const check = new OptionChecks('pgliteSecrets');
const known = [
  'keys',
  'dataDir',
  'pglite',
  'schema',
] as const satisfies readonly (keyof PGliteSecretsOptions)[];

/**
 * Makes a secret store in a PostgreSQL that runs inside this process, sealed as `postgresSecrets` does.
 *
 * It needs `@electric-sql/pglite`, which is loaded when the store is opened.
 *
 * @example
 * ```ts
 * const keys = { current: 'k1', keys: { k1: masterKey } };
 * const infra = createMCPInfra({ providers, secrets: [pgliteSecrets({ dataDir: './secrets', keys })] });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function pgliteSecrets(options: PGliteSecretsOptions): SealedSecretStore {
  checkOptions(options, known, check);
  const { schema = 'mcpinfra', keys } = options;
  const database = embeddedDatabase(options, check);
  return new SqlSecretStore({ name: 'pglite', database, schema, keys: keyHolder(keys, check) });
}
