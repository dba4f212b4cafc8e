import { createHash } from 'node:crypto';
import { firstSchema } from './migrations/0001-first-schema.js';
import { secretsSchema } from './migrations/0002-secrets.js';
import { groupsAndKeys } from './migrations/0003-groups-and-keys.js';
import { watchedHolders } from './migrations/0004-watched-holders.js';

/** A step of the schema. Steps only go forward; one that was released never changes. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * The last step that a process has to know to work with a schema that has this one as well. A step that only adds is
   * compatible since the one before it; one that takes away, since the first step whose code no longer asks for it.
   */
  readonly compatibleSince: number;
  /** Statements that find the store's schema in the search path. */
  readonly sql: string;
}

/** Every step, oldest first. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'first schema', compatibleSince: 1, sql: firstSchema },
  { version: 2, name: 'secrets', compatibleSince: 2, sql: secretsSchema },
  { version: 3, name: 'groups and keys', compatibleSince: 3, sql: groupsAndKeys },
  { version: 4, name: 'watched holders', compatibleSince: 4, sql: watchedHolders },
];

/** Whether a process that knows steps up to one works with a schema that has a later one. */
export function isCompatible(since: unknown, supported: number): boolean {
  return typeof since === 'string' && /^\d{1,9}$/u.test(since) && Number(since) <= supported;
}

/** Tells a step from another of the same version. */
export function checksumOf({ name, sql }: Migration): string {
  return createHash('sha256').update(`${name}\n${sql}`).digest('hex');
}
