import { type CallOptions, orAborted, throwIfAborted } from '@mcpinfra/core/plugin';
import type { Queryable, Row } from '../database/database.js';
import type { Envelope } from './envelope.js';
import { sealedOf } from './sealed-row.js';
import type { SecretStatements } from './secret-statements.js';

/** What {@link SealedSecretStore.rotateKeys} did and left. */
export interface KeyRotation {
  /** How many values this call sealed anew under the current key. */
  readonly resealed: number;
  /** How many values are under another key now: those that cannot be read, and those another process has just put. */
  readonly remaining: number;
  /** The names, `<scope>:<KEY>`, of values that cannot be read: they were changed, or copied from elsewhere. */
  readonly unreadable: readonly string[];
}

/** What a rotation works on. */
export interface RotationParts {
  readonly database: Queryable;
  readonly statements: SecretStatements;
  readonly envelope: Envelope;
  /** The id of the key that all values shall be under. */
  readonly current: string;
}

const batchSize = 50;

/** Seals what is under other keys anew, batch by batch. A row that somebody else wrote meanwhile stays as it is. */
export async function rotateKeys(parts: RotationParts, options?: CallOptions): Promise<KeyRotation> {
  const { database, statements, current } = parts;
  const unreadable: string[] = [];
  let resealed = 0;
  let after = ['', ''];
  for (;;) {
    throwIfAborted(options?.signal);
    const rows = await database.query(statements.listOld, [current, ...after, batchSize], options);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = nameOf(last);
    const anew = await orAborted(
      Promise.all(rows.map((row) => reseal(parts, row, options))),
      options?.signal,
    );
    unreadable.push(...rows.filter((_, at) => anew[at] === undefined).map(idOf));
    const columns = transposed(anew.filter((row) => row !== undefined));
    resealed += (await database.query(statements.reseal, [...columns, current], options)).length;
  }
  const [left] = await database.query(statements.countOld, [current], options);
  return { resealed, remaining: Number(left?.['remaining'] ?? 0), unreadable };
}

type Resealed = readonly [scope: string, key: string, before: string, dataKey: string, body: string];

async function reseal(
  { envelope }: RotationParts,
  row: Row,
  options: CallOptions | undefined,
): Promise<Resealed | undefined> {
  const [scope = '', key = ''] = nameOf(row);
  const before = sealedOf(row);
  const value = await envelope.open([scope, key], before, options);
  if (value === undefined) return undefined;
  const { dataKey, body } = await envelope.seal([scope, key], value, options);
  return [scope, key, before.dataKey, dataKey, body];
}

function transposed(rows: readonly Resealed[]): readonly (readonly string[])[] {
  return [0, 1, 2, 3, 4].map((column) => rows.map((row) => row[column] ?? ''));
}

function nameOf(row: Row): string[] {
  return [row['scope'] ?? '', row['key'] ?? ''];
}

function idOf(row: Row): string {
  return nameOf(row).join(':');
}
