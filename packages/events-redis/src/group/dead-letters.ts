import { rawEvent, type StreamEntry } from '../stream/stream-entry.js';
import type { GroupContext } from './group-context.js';

const mostLetters = 10_000;
const longestReason = 1_000;

/** Why an entry is given up. */
export interface DeadLetter {
  readonly reason: string;
  /** How often it was delivered. */
  readonly deliveries: number;
}

/** Moves an entry out of the group to the dead letters of the fleet, in one step. */
export async function putAway(
  { keys, group, connection }: GroupContext,
  [id, fields]: StreamEntry,
  { reason, deliveries }: DeadLetter,
): Promise<void> {
  const event = rawEvent(fields ?? []) ?? JSON.stringify(fields);
  const letter = { group, id, deliveries, reason: reason.slice(0, longestReason), event };
  await connection.batch('XADD of a dead letter', (redis) =>
    redis
      .multi()
      .xadd(keys.dead, 'MAXLEN', '~', mostLetters, '*', ...Object.entries(letter).flat())
      .xack(keys.events, group, id),
  );
}
