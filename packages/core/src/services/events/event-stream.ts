/*
 * The way of an event from a committed row to whoever listens: relay, log, hub, durable subscriptions, and the fleet's condition.
 * The composition root feeds it, hosts listen to it, and every room above reports the fleet's condition to it.
 * It never changes an instance.
 */
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Event } from '../../domain/events/event.js';
import { eventTypes, type EventType } from '../../domain/events/event-map.js';
import type { Unsubscribe } from '../../ports/common.js';
import { sleep } from '../../async/sleep.js';
import { refuseUnknownOptions } from '../context/known-options.js';
import { EventGroups, groupName, type LogPlace, positionOf, refuseNoPlace } from './event-groups.js';
import type { EventListener } from './event-hub.js';
import type { EventHandling, HandlerContext } from './handler-calls.js';
import { type EventReadOptions, readEvents } from './read-events.js';
import type { Subscription, SubscriptionParts } from './subscription.js';

/** So long `close` waits for a handler under way, in milliseconds. */
const closeGraceMs = 10_000;

/** What a durable subscriber wants. */
export interface EventSubscriptionOptions<T extends EventType = EventType> {
  /**
   * Its name: the position it has handled is kept in the store under it. Of several processes that subscribe with the
   * same one, one at a time handles events; another goes on when it ends.
   */
  readonly group: string;
  /**
   * Where a group that is new begins: at the oldest event that is kept (`beginning`), at what comes from `now` on, or
   * after a position. A group that exists goes on where it was, whatever is said here; `events.groups.seek` moves it.
   *
   * @defaultValue now
   */
  readonly from?: LogPlace | undefined;
  readonly types?: readonly T[] | undefined;
  /** Only events of instances and servers with these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A running subscription. */
export interface DurableSubscription {
  /**
   * Ends it and aborts the signal of the handler under way, which is waited for up to 10 s; one that takes longer goes on,
   * and until it has ended nobody else handles events of the group. May be called by the handler itself, which is then
   * not waited for.
   */
  close(): Promise<void>;
  /** Rejects when the subscription cannot go on, for example with `CURSOR_EXPIRED`; resolves when it was closed. */
  readonly done: Promise<void>;
}

/** A subscription of this process, as whoever stops the process has it. */
export interface OpenSubscription extends DurableSubscription {
  /** As `close`, but for the bound of the wait. */
  end(): Promise<void>;
}

/** The events of a fleet: as they happen, or from the log. */
export class EventStream {
  /** The groups of durable subscriptions: how far each is, and what it has given up. */
  readonly groups: EventGroups;
  readonly #parts: SubscriptionParts;
  /** The subscriptions of this process by group. */
  readonly #open: Map<string, OpenSubscription>;

  private constructor(parts: SubscriptionParts, open: Map<string, OpenSubscription>) {
    this.groups = EventGroups.of(parts.context, parts.scope);
    this.#parts = parts;
    this.#open = open;
  }

  /** @internal */
  static of(parts: SubscriptionParts, open: Map<string, OpenSubscription>): EventStream {
    return new EventStream(parts, open);
  }

  /**
   * Listens from now on to what happens in the whole fleet, whichever process caused it. Best effort: a listener that
   * returns promises is given 256 events at once, 10,000 more wait for it, and what comes then it misses.
   *
   * @param type - the name of an event, or `*` for all
   * @throws `INVALID_ARGUMENT` for an event that does not exist
   */
  on<T extends EventType>(type: T | '*', listener: EventListener<T>): Unsubscribe {
    return this.#parts.hub.on(type, this.#parts.scope, listener);
  }

  /**
   * Reads the events that are kept after one, then those that come, without a group: whoever reads keeps the `position` of
   * the last one it had. Ends when the signal fires.
   *
   * @example
   * ```ts
   * const last = request.headers['last-event-id'];
   * const after = last === undefined ? 'now' : Number(last);
   * for await (const event of infra.events.read({ after, signal })) {
   *   response.write(`id: ${event.position}\ndata: ${JSON.stringify(event.data)}\n\n`);
   * }
   * ```
   * @throws `INVALID_ARGUMENT` at once; with the first event `CURSOR_EXPIRED` when the log no longer goes back so far (`details.oldest` is the first that is kept), and any time `STORE_FAILED`, or `ALREADY_STOPPED` when the infra stops
   */
  read<T extends EventType>(options: EventReadOptions<T> = {}): AsyncGenerator<Event<T>, void, undefined> {
    refuseUnknownOptions('events.read()', options, ['after', 'types', 'signal']);
    refuseUnknown(options.types);
    return readEvents(this.#parts, options) as AsyncGenerator<Event<T>, void, undefined>;
  }

  /**
   * Handles every event of the log, at least once and in order, and goes on where it stopped after a restart.
   *
   * A handler that fails is called again with the same event after a back-off; later events of the same subject wait for
   * it, those of others do not. The tenth failure of an event, about four minutes after the first, makes it a dead letter
   * (`groups.deadLetters`) if other events have been handled meanwhile, the hundredth in any case; what waits behind it goes
   * on then. Tries are counted in the process. The handler's signal is aborted when the subscription is closed.
   *
   * @throws `INVALID_ARGUMENT`, `ALREADY_EXISTS` for a second subscription of a group in one process, `CURSOR_EXPIRED` for a new group from a position that is no longer kept; the returned `done` rejects with `CURSOR_EXPIRED` when events were removed that the group has not looked at: `groups.seek` moves it on
   */
  async subscribe<T extends EventType>(
    options: EventSubscriptionOptions<T>,
    handler: (event: Event<T>, context: HandlerContext) => void | Promise<void>,
  ): Promise<DurableSubscription> {
    refuseUnknownOptions('events.subscribe()', options, ['group', 'from', 'types', 'labels']);
    refuseUnknown(options.types);
    if (typeof options.group !== 'string' || options.group.trim() === '')
      throw mcpError('INVALID_ARGUMENT', 'A durable subscription needs a group name.');
    const group = groupName(this.#parts.scope, options.group);
    if (this.#open.has(group)) {
      throw mcpError(
        'ALREADY_EXISTS',
        `This process has a subscription of the group ${JSON.stringify(options.group)} already; close it first, or use another group.`,
      );
    }
    const ending = new AbortController();
    const beginning = this.#begin(group, options, handler as EventHandling);
    let subscription: Subscription | undefined;
    const done = beginning
      .then((begun) => {
        subscription = begun;
        return begun.run(ending.signal);
      })
      .finally(() => {
        if (this.#open.get(group) === running) this.#open.delete(group);
      });
    // A subscriber that never looks at `done` must not bring the host down; it has been logged.
    const over = done.catch(() => undefined);
    const end = async (): Promise<void> => {
      ending.abort();
      if (subscription?.isInHandler !== true) await over;
    };
    const close = async (): Promise<void> => {
      const ended = new AbortController();
      const ends = end().then(() => ended.abort());
      await Promise.race([ends, sleep(this.#parts.context.clock, closeGraceMs, ended.signal)]);
    };
    const running: OpenSubscription = { done, end, close };
    // Before anything is waited for, so that of two that subscribe at the same time one is refused.
    this.#open.set(group, running);
    try {
      await beginning;
    } catch (error) {
      // Whoever is told of the failure may try again at once.
      await over;
      throw error;
    }
    return running;
  }

  /** Finds out where a group begins, and keeps it. */
  async #begin(
    group: string,
    { types, labels, from = 'now' }: EventSubscriptionOptions,
    handler: EventHandling,
  ): Promise<Subscription> {
    const { events } = this.#parts.context.store;
    refuseNoPlace(from);
    const [saved, { Subscription }] = await Promise.all([events.cursor(group), import('./subscription.js')]);
    const start = saved ?? (await positionOf(events, from));
    // Kept from now on, or what happens before the first event is handled would be lost to a restart.
    if (saved === null) await events.saveCursor(group, start);
    const oldest = saved === null && from === 'beginning';
    return new Subscription(this.#parts, { group, start, oldest, types, labels, handler });
  }
}

/** @throws `INVALID_ARGUMENT` */
function refuseUnknown(types: readonly EventType[] = []): void {
  const unknown = types.find((type) => !eventTypes.has(type));
  if (unknown !== undefined)
    throw mcpError('INVALID_ARGUMENT', `There is no event ${JSON.stringify(unknown)}.`);
}
