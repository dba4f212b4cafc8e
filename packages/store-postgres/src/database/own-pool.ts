import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientConfig, Pool } from 'pg';
import type { PoolDatabaseParts } from './pool-database.js';

const graceMs = 1_000;

/** Makes a pool of our own. Its connections end with it also where the server does not say goodbye. */
export function ownPool(config: ClientConfig): Pick<PoolDatabaseParts, 'pool' | 'end'> {
  const pool = new Pool(config);
  const connected = new Set<Client>();
  pool.on('connect', (client) => {
    connected.add(client);
    client.once('end', () => connected.delete(client));
  });
  return {
    pool,
    end: async () => {
      const ended = pool.end();
      // Whoever waits for a client of it that hangs would make it wait, too.
      ended.catch(() => undefined);
      await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
      for (const client of connected) client.connection.stream.destroy();
    },
  };
}
