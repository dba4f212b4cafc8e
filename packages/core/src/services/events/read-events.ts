import { isAborted, orAborted, throwIfAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import type { Event } from '../../domain/events/event.js';
import type { EventType } from '../../domain/events/event-map.js';
import type { Scope } from '../context/access.js';
import type { ServiceContext } from '../context/service-context.js';
import { type LogPlace, positionOf, refuseNoPlace } from './event-groups.js';
import type { EventHub } from './event-hub.js';
import { lookAtLog } from './log-look.js';

/** Which events are read. */
export interface EventReadOptions<T extends EventType = EventType> {
  /** The position of the last event that was had; or the oldest that is kept (`beginning`), or what comes from `now` on. @defaultValue now */
  readonly after?: LogPlace | undefined;
  readonly types?: readonly T[] | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

// Events wake a reader at once; where they are late or lost, the log is looked at again after this time.
const lookAgainMs = 1_000;

/** What {@link readEvents} works with. */
export interface EventReadParts {
  readonly context: ServiceContext;
  readonly hub: EventHub;
  readonly scope: Scope;
}

/**
 * Yields the events of the log behind a place, then those that come, each once and in order. Where `now` is is found out
 * at the call, not when the first event is asked for.
 *
 * @throws `INVALID_ARGUMENT` at once, `CURSOR_EXPIRED`, when the store does not answer, and `ALREADY_STOPPED` when the infra stops
 */
export function readEvents(
  parts: EventReadParts,
  { after = 'now', types, signal = new AbortController().signal }: EventReadOptions,
): AsyncGenerator<Event, void, undefined> {
  refuseNoPlace(after);
  const start = positionOf(parts.context.store.events, after, { signal });
  // Told by the first event that is asked for, if ever.
  start.catch(() => undefined);
  return eventsFrom(parts, start, { types, signal });
}

async function* eventsFrom(
  { context, hub, scope }: EventReadParts,
  start: Promise<number>,
  { types, signal }: Pick<EventReadOptions, 'types'> & { readonly signal: AbortSignal },
): AsyncGenerator<Event, void, undefined> {
  const { stopping } = context;
  let news = new AbortController();
  const off = hub.on('*', scope, ({ type }) => {
    if (types?.includes(type) !== false) news.abort();
  });
  try {
    const log = context.store.events;
    let after = await orAborted(start, stopping);
    while (!isAborted(signal)) {
      throwIfAborted(stopping);
      // From before the look on: what comes during it must not wait for the next.
      news = new AbortController();
      const looking = lookAtLog(log, { after, tenant: scope ?? undefined, types }, { signal });
      const look = await orAborted(looking, stopping);
      for (const event of look.events) {
        if (isAborted(signal)) return;
        yield event;
      }
      after = look.upTo;
      if (!look.more) await sleep(context.clock, lookAgainMs, signal, news.signal, stopping);
    }
  } catch (error) {
    // A call that the signal broke off is no failure to whoever gave it.
    if (!isAborted(signal)) throw error;
  } finally {
    off();
  }
}
