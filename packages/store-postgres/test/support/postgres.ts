import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import {
  type PrivatePostgresOptions,
  type PrivatePostgresServer,
  startPrivatePostgres,
} from '@mcpinfra/tools';

/** A server of these tests with a pool, as a host has them. */
export interface TestPostgres extends PrivatePostgresServer {
  readonly pool: Pool;
}

/** Starts a server and a pool that survives its restarts. */
export async function startTestPostgres(options?: PrivatePostgresOptions): Promise<TestPostgres> {
  const server = await startPrivatePostgres(options);
  const pool = poolAt(server.url);
  const stop = server.stop.bind(server);
  return Object.assign(server, {
    pool,
    stop: async () => {
      await pool.end();
      await stop();
    },
  });
}

/** A pool whose lost connections end no process. */
export function poolAt(connectionString: string, max = 10): Pool {
  const pool = new Pool({ connectionString, max });
  pool.on('error', () => undefined);
  return pool;
}

/** A name for a schema of one test. */
export function newSchema(): string {
  return `t_${randomBytes(6).toString('hex')}`;
}
