import { withClient } from './postgres-client.js';

/**
 * Makes a whole database server refuse writes, or take them again, also in sessions that run: as a standby does to which
 * a failover or a full disk has sent everybody.
 */
export async function setReadOnly(url: string, on: boolean): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `alter system ${on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`,
    );
    await client.query('select pg_reload_conf()');
  });
}
