import { randomUUID } from 'node:crypto';
import { type CallOptions, mcpError, orAborted, Secret } from '@mcpinfra/core/plugin';
import type { Connection } from '../database/database.js';
import { Envelope } from './envelope.js';
import type { KeyHolder } from './key-holder.js';
import { sealedOf } from './sealed-row.js';
import type { SecretStatements } from './secret-statements.js';

/** What is checked, and where. */
export interface KeysCheck {
  readonly connection: Connection;
  readonly statements: SecretStatements;
  readonly keys: KeyHolder;
  /** The schema, for messages. */
  readonly schema: string;
}

const known = new Secret('mcpinfra');

/**
 * Makes sure that every key is there under which values are sealed, and that it is the right one.
 *
 * Under each key something known is kept, so that one that is wrong is found before anything is written with it.
 *
 * @returns what seals the values of this store
 * @throws `INVALID_OPTIONS`, naming the ids of keys and never a key
 */
export async function checkKeys(check: KeysCheck, options?: CallOptions): Promise<Envelope> {
  const { connection, statements, keys, schema } = check;
  const envelope = new Envelope(keys, await storeId(check, options));
  const list = () => connection.query(statements.listKeys, [], options);
  let rows = await list();
  if (!rows.some((row) => row['key_id'] === keys.current)) {
    const { keyId, dataKey, body } = await orAborted(
      envelope.seal(nameOf(keys.current), known, options),
      options?.signal,
    );
    await connection.query(statements.addKey, [keyId, dataKey, body], options);
    // Another process may have been faster, with another key of the same id.
    rows = await list();
  }
  const needed = rows.filter((row) => row['used'] === 't' || row['key_id'] === keys.current).map(sealedOf);
  const missing = needed.map(({ keyId }) => keyId).filter((keyId) => !keys.has(keyId));
  if (missing.length > 0) {
    throw mcpError(
      'INVALID_OPTIONS',
      `The schema "${schema}" has secrets under ${quote(missing)}, which the option keys does not have: add what is ` +
        'missing beside the current key until rotateKeys() leaves nothing under it.',
      { details: { missing } },
    );
  }
  for (const sealed of needed) {
    const found = await orAborted(envelope.open(nameOf(sealed.keyId), sealed, options), options?.signal);
    if (found?.reveal() === known.reveal()) continue;
    throw mcpError(
      'INVALID_OPTIONS',
      `The key "${sealed.keyId}" is not the one that has this id in the schema "${schema}": give the right one, or, for ` +
        'a new key, an id that was never used.',
      { details: { wrong: sealed.keyId } },
    );
  }
  return envelope;
}

/** Reads the id to which all values are bound; makes it up, once, where there is none. */
async function storeId({ connection, statements }: KeysCheck, options?: CallOptions): Promise<string> {
  const read = async () => (await connection.query(statements.storeId, [], options))[0]?.['id'];
  const there = await read();
  if (there !== undefined && there !== null) return there;
  await connection.query(statements.makeStoreId, [randomUUID()], options);
  return (await read()) ?? '';
}

/** Of another length than the names of values, so that it is none. */
function nameOf(keyId: string): readonly string[] {
  return ['key', keyId, 'check'];
}

function quote(ids: readonly string[]): string {
  return `${ids.length === 1 ? 'the key' : 'the keys'} ${ids.map((id) => `"${id}"`).join(', ')}`;
}
