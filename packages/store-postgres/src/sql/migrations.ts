import { createHash } from 'node:crypto';
import { firstSchema } from './migrations/0001-first-schema.js';
import { secretsSchema } from './migrations/0002-secrets.js';
import { groupsAndKeys } from './migrations/0003-groups-and-keys.js';
import { watchedHolders } from './migrations/0004-watched-holders.js';

/** A step of the schema. Steps only go forward; one that was released never changes. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements that find the store's schema in the search path. */
  readonly sql: string;
}

/** Every step, oldest first. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'first schema', sql: firstSchema },
  { version: 2, name: 'secrets', sql: secretsSchema },
  { version: 3, name: 'groups and keys', sql: groupsAndKeys },
  { version: 4, name: 'watched holders', sql: watchedHolders },
];

/** Tells a step from another of the same version. */
export function checksumOf({ name, sql }: Migration): string {
  return createHash('sha256').update(`${name}\n${sql}`).digest('hex');
}
