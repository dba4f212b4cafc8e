import type { Event } from '../../domain/events/event.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { CallOptions } from '../../ports/common.js';
import type { EventLog, EventQuery } from '../../ports/store.js';

/** At most so many events are read at once. */
const page = 200;
/** So many positions are looked through at once, however few events match. */
const reach = 20_000;

/** What a look at the log found. */
export interface LogLook {
  readonly events: readonly Event[];
  /** Everything up to here has been looked at: a reader goes on from here, whether or not something matched. */
  readonly upTo: number;
  /** Whether the log goes on beyond it. */
  readonly more: boolean;
}

/**
 * Looks for events above a position.
 *
 * A reader whose filter lets little through moves on with the log all the same, or the retention would overtake it though
 * it missed nothing.
 *
 * @throws `CURSOR_EXPIRED`
 */
export async function lookAtLog(
  log: EventLog,
  query: Omit<EventQuery, 'limit' | 'upTo'>,
  options?: CallOptions,
): Promise<LogLook> {
  const { after } = query;
  // Before the read: what is numbered in between may not be among what is read.
  const head = await log.head(options);
  if (head <= after) return { events: [], upTo: after, more: false };
  const end = Math.min(head, after + reach);
  const events = await log.read({ ...query, upTo: end, limit: page }, options);
  const last = events.length < page ? undefined : events.at(-1);
  const upTo = last?.position ?? end;
  return { events, upTo, more: upTo < head };
}

/** The position before the oldest event that is kept. */
export async function beforeOldest(log: EventLog, options?: CallOptions): Promise<number> {
  try {
    await log.read({ after: 0, upTo: 0, limit: 1 }, options);
    return 0;
  } catch (error) {
    return oldestOf(error) - 1;
  }
}

/** The oldest position that is kept, told by a read that was refused for it. @throws any other error */
export function oldestOf(error: unknown): number {
  if (MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED')
    return Number(error.details['oldest']);
  throw error;
}
