import pg from 'pg';

/**
 * Makes a whole database server refuse writes, or take them again, also in sessions that run: as a standby does to which
 * a failover or a full disk has sent everybody.
 */
export async function setReadOnly(url: string, on: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // What ends the connection is told by the query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(
      `alter system ${on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`,
    );
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}
