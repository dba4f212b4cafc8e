import { sleep, systemClock } from '@mcpinfra/core/plugin';
import { Client, type ClientConfig, Pool } from 'pg';
import { withTimeout } from './own-client.js';
import type { PoolDatabaseParts } from './pool-database.js';

const graceMs = 1_000;

/** Makes a pool of our own. Its connections end with it also where the server does not answer, or never did. */
export function ownPool(config: ClientConfig): Pick<PoolDatabaseParts, 'pool' | 'end'> {
  const clients = new Set<Client>();
  class OwnClient extends Client {
    // Only a connection that is being made has so long; who waits for a free one has as long as he wants.
    constructor(options?: ClientConfig) {
      super(withTimeout(options ?? {}));
      clients.add(this);
      this.once('end', () => clients.delete(this));
    }
  }
  const pool = new Pool({ ...config, Client: OwnClient });
  return {
    pool,
    end: async () => {
      const over = new AbortController();
      const ended = pool.end().then(
        () => over.abort(),
        // Whoever waits for a client of it that hangs would make it wait, too.
        () => undefined,
      );
      await Promise.race([ended, sleep(systemClock, graceMs, over.signal)]);
      for (const client of clients) client.connection.stream.destroy();
    },
  };
}
