import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import { eventTypes, type EventType } from '../domain/events/event-map.js';
import type { Unsubscribe } from '../ports/common.js';
import type { EventQuery } from '../ports/store.js';
import type { Scope } from './access.js';
import { retryDelayMs } from '../domain/instance/backoff.js';
import type { EventHub, EventListener } from './event-hub.js';
import type { ServiceContext } from './service-context.js';
import { isAborted, sleepUntil } from './wake-signal.js';

/** What a durable subscriber wants. */
export interface EventSubscriptionOptions<T extends EventType = EventType> {
  /** Its name: the position it has handled is kept in the store under it. One subscriber at a time. */
  readonly group: string;
  /** Where a group that is new begins: at the `beginning` of the log, at what comes from `now` on, or after a position. @defaultValue now */
  readonly from?: 'beginning' | 'now' | number | undefined;
  readonly types?: readonly T[] | undefined;
  /** Only events of instances and servers with these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A running subscription. */
export interface DurableSubscription {
  /** Ends it; the handler that runs is waited for. */
  close(): Promise<void>;
  /** Rejects when the subscription cannot go on, for example with `CURSOR_EXPIRED`; resolves when it was closed. */
  readonly done: Promise<void>;
}

const page = 200;
// Events wake a subscriber at once; where they are late or lost, the log is read again after this time.
const lookAgainMs = 1_000;

/** The events of a fleet: as they happen, or from the log. */
export class EventStream {
  readonly #context: ServiceContext;
  readonly #hub: EventHub;
  readonly #scope: Scope;
  readonly #open: Set<DurableSubscription>;

  /** Made by `createMCPInfra`. @internal */
  constructor(
    context: ServiceContext,
    hub: EventHub,
    options: { readonly scope: Scope; readonly open: Set<DurableSubscription> },
  ) {
    this.#context = context;
    this.#hub = hub;
    this.#scope = options.scope;
    this.#open = options.open;
  }

  /**
   * Listens from now on to what happens in the whole fleet, whichever process caused it. Best effort.
   *
   * @param type - the name of an event, or `*` for all
   * @throws `INVALID_ARGUMENT` for an event that does not exist
   */
  on<T extends EventType>(type: T | '*', listener: EventListener<T>): Unsubscribe {
    return this.#hub.on(type, this.#scope, listener);
  }

  /**
   * Handles every event of the log, at least once and in order, and goes on where it stopped after a restart.
   *
   * A handler that fails is called again with the same event after a back-off; later events wait for it.
   *
   * @throws `INVALID_ARGUMENT`; the returned `done` rejects with `CURSOR_EXPIRED` when the log no longer goes back so far
   */
  async subscribe<T extends EventType>(
    options: EventSubscriptionOptions<T>,
    handler: (event: Event<T>) => void | Promise<void>,
  ): Promise<DurableSubscription> {
    const unknown = (options.types ?? []).filter((type) => !eventTypes.has(type));
    if (unknown.length > 0)
      throw mcpError('INVALID_ARGUMENT', `There is no event ${JSON.stringify(unknown[0])}.`);
    if (options.group.trim() === '')
      throw mcpError('INVALID_ARGUMENT', 'A durable subscription needs a group name.');
    const { events } = this.#context.store;
    const group = `${this.#scope ?? '*'}/${options.group}`;
    const from = options.from ?? 'now';
    const start = from === 'beginning' ? 0 : from === 'now' ? await events.head() : from;
    const saved = await events.cursor(group);
    if (saved === null) await events.saveCursor(group, start);
    const ending = new AbortController();
    const done = this.#pump(
      { ...options, group, after: saved ?? start },
      handler as (event: Event) => void | Promise<void>,
      ending.signal,
    );
    // A subscriber that never looks at `done` must not bring the host down; it has been logged.
    done.catch(() => undefined);
    const subscription: DurableSubscription = {
      done,
      close: async () => {
        ending.abort();
        await done.catch(() => undefined);
        this.#open.delete(subscription);
      },
    };
    this.#open.add(subscription);
    return subscription;
  }

  async #pump(
    request: EventSubscriptionOptions & { readonly group: string; readonly after: number },
    handler: (event: Event) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let { after } = request;
    const query = { tenant: this.#scope ?? undefined, types: request.types, limit: page };
    let news = new AbortController();
    const off = this.#hub.on('*', this.#scope, () => {
      news.abort();
    });
    try {
      while (!signal.aborted) {
        // From before the read on: what is committed while events are handled must not wait for the next look.
        news = new AbortController();
        const batch = await this.#read({ ...query, after }, request.group, signal);
        for (const event of batch) {
          if (matches(event, request.labels)) await this.#handle(event, handler, signal);
          if (isAborted(signal)) return;
          after = event.position;
        }
        if (batch.length > 0) await this.#saveCursor(request.group, after);
        if (batch.length === page) continue;
        await sleepUntil(this.#context.clock, lookAgainMs, AbortSignal.any([signal, news.signal]));
      }
    } finally {
      off();
    }
  }

  /** What comes next in the log; nothing while the store does not answer. */
  async #read(query: EventQuery, group: string, signal: AbortSignal): Promise<readonly Event[]> {
    try {
      return await this.#context.store.events.read(query, { signal });
    } catch (error) {
      if (!signal.aborted && MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED') {
        this.#context.logger.error('a subscription fell behind the event log', { group });
        throw error;
      }
      return [];
    }
  }

  async #handle(
    event: Event,
    handler: (event: Event) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await handler(event);
        return;
      } catch (error) {
        this.#context.logger.warn('a subscriber failed and is called again', {
          type: event.type,
          error: messageOf(error),
        });
        await sleepUntil(this.#context.clock, retryDelayMs(failures + 1, this.#context.random()), signal);
      }
    }
  }

  async #saveCursor(group: string, position: number): Promise<void> {
    try {
      await this.#context.store.events.saveCursor(group, position);
    } catch (error) {
      // The next save makes up for it; until then a restart would only repeat some events.
      this.#context.logger.debug('a cursor was not saved', { group, error: messageOf(error) });
    }
  }
}

function matches(event: Event, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (labels === undefined) return true;
  const own: Readonly<Record<string, string>> = 'labels' in event.data ? event.data.labels : {};
  return Object.entries(labels).every(([name, value]) => own[name] === value);
}
