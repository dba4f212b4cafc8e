import { ignoreError, onAbort } from '@mcpinfra/core/plugin';
import { Client, type ClientConfig } from 'pg';
import type { ConnectedClient, Made } from './own-connection.js';
import type { PostgresPool } from './postgres-pool.js';

const connectTimeoutMs = 5_000;

/** Connects a client of our own as a pool would. */
export async function connectClient(options: ClientConfig, signal: AbortSignal): Promise<Made> {
  const client = new Client(withTimeout(options));
  // The rejection tells; an event without a listener would end the process.
  client.on('error', ignoreError);
  const destroy = (): void => {
    client.connection.stream.destroy();
  };
  const unlisten = onAbort(signal, destroy);
  try {
    await client.connect();
  } catch (error) {
    destroy();
    throw error;
  } finally {
    unlisten();
  }
  return { client, destroy, end: () => client.end() };
}

/** Takes a client of the host's pool for good, where the pool does not say how it connects. */
export async function keepClient(pool: PostgresPool): Promise<Made> {
  const client = await pool.connect();
  let given = false;
  const destroy = (): void => {
    if (given) return;
    given = true;
    client.release(true);
  };
  // A client of `pg` has these, whatever else the pool is.
  return { client: client as unknown as ConnectedClient, destroy, end: async () => destroy() };
}

/** Names the database for messages, without credentials: host, port and name; `undefined` where a URL cannot be read. */
export function whereIs(options: ClientConfig): string | undefined {
  try {
    const { host, port, database } = new Client(options);
    return `PostgreSQL at ${host}:${port}/${database ?? ''}`;
  } catch {
    // The error quotes the URL, with its password.
    return undefined;
  }
}

/** Copies options with those that are hidden from printing, such as the password. */
export function withTimeout(options: ClientConfig): ClientConfig {
  const copy: ClientConfig = Object.defineProperties({}, Object.getOwnPropertyDescriptors(options));
  copy.connectionTimeoutMillis ??= connectTimeoutMs;
  copy.keepAlive ??= true;
  return copy;
}
