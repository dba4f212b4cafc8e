/**
 * Keeps the state, events and secrets of `@mcpinfra/core` in PostgreSQL, on a server or embedded.
 *
 * @packageDocumentation
 */
export type { EmbeddedPostgres, EmbeddedResult, EmbeddedTransaction } from './database/pglite-database.js';
export type {
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  PostgresResult,
} from './database/postgres-pool.js';
export { pgliteStore, type PGliteStoreOptions } from './pglite-store.js';
export { postgresStore, type PostgresStoreOptions } from './postgres-store.js';
export { pgliteSecrets, type PGliteSecretsOptions } from './secrets/pglite-secrets.js';
export { postgresSecrets, type PostgresSecretsOptions } from './secrets/postgres-secrets.js';
export type { KeyRotation } from './secrets/rotate-keys.js';
export type { SecretKeyCall, SecretKeyRing, SecretKeys, SecretKeyService } from './secrets/secret-keys.js';
export type { SealedSecretStore } from './secrets/sql-secret-store.js';
