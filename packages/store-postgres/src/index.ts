/**
 * Keeps the state and events of `@mcpinfra/core` in PostgreSQL, on a server or embedded.
 *
 * @packageDocumentation
 */
export type { EmbeddedPostgres, EmbeddedTransaction } from './database/pglite-database.js';
export type { PostgresPool, PostgresPoolClient, PostgresQuery } from './database/postgres-pool.js';
export { pgliteStore, type PGliteStoreOptions } from './pglite-store.js';
export { postgresStore, type PostgresStoreOptions } from './postgres-store.js';
