import { randomBytes, randomUUID } from 'node:crypto';
import {
  type CallOptions,
  formatEphemeralFleet,
  mcpError,
  processIdentity,
  type StoreIdentity,
} from '@mcpinfra/core/plugin';
import type { Database } from '../database/database.js';
import { planned } from './statement.js';

/**
 * Reads whose store it is; makes that up, once, in an empty one.
 *
 * @param given - the name the host gives to its fleet
 * @throws `INVALID_OPTIONS` for a store of another fleet
 */
export async function readIdentity(
  {
    database,
    schema,
    fleet: given,
  }: { readonly database: Database; readonly schema: string; readonly fleet: string | undefined },
  options?: CallOptions,
): Promise<StoreIdentity> {
  const { durable } = database;
  const read = planned(`select store_id, fleet from ${schema}.store`);
  let [row] = await database.query(read, [], options);
  if (row === undefined) {
    const made = durable ? `fleet-${randomBytes(6).toString('hex')}` : await ephemeralFleet();
    await database.query(
      planned(
        `insert into ${schema}.store (store_id, fleet) values ($1::text, $2::text) on conflict do nothing`,
      ),
      [randomUUID(), given ?? made],
      options,
    );
    // Another process may have been faster.
    [row] = await database.query(read, [], options);
  }
  const identity = { storeId: row?.['store_id'] ?? '', fleet: row?.['fleet'] ?? '', durable };
  if (given !== undefined && given !== identity.fleet) {
    throw mcpError(
      'INVALID_OPTIONS',
      `The schema ${schema} belongs to the fleet "${identity.fleet}", but the option fleet says "${given}". What runs ` +
        'under the other name would be left without an owner: give the name in the store, or another schema.',
    );
  }
  return identity;
}

/** Tells whose it was, so that its remains are collected only when that process is surely dead. */
async function ephemeralFleet(): Promise<string> {
  return formatEphemeralFleet(await processIdentity(), randomBytes(4).toString('hex'));
}
