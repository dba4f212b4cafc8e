import type { Event } from '../domain/events/event.js';
import type { EventType } from '../domain/events/event-map.js';
import type { CallOptions, PartReport, Unsubscribe } from './common.js';

/**
 * Carries committed events between processes. It wakes and fans out; nothing depends on it: order and completeness come
 * from the store's event log.
 *
 * At least once, unordered. An event is repeated only after something went wrong: a handler of a group rejected, a
 * connection or a process was lost, or it was published again. A bus whose backend is away rejects `publish` and goes on
 * trying to reconnect; the relay publishes again. Fleets on one backend do not hear each other.
 */
export interface EventBus {
  readonly specificationVersion: 'v1';
  /**
   * Connects. A backend that is away is no error here: the bus reconnects by itself.
   *
   * Until it has resolved, `publish` and `subscribe` either work or reject with `NOT_STARTED`.
   */
  open(context: EventBusContext, options?: CallOptions): Promise<void>;
  /**
   * Waits for the handlers of what it has taken for its subscribers, then disconnects; none is called afterwards.
   * Idempotent. When its signal is aborted it disconnects without waiting.
   *
   * What the handlers of a group have not taken goes to the group's subscribers on other buses. `publish` and
   * `subscribe` reject from now on, with `EVENT_BUS_FAILED` or `ALREADY_STOPPED`.
   */
  close(options?: CallOptions): Promise<void>;
  /**
   * Resolves when the backend has accepted every event, in batches of any size, also an empty one; handlers are not
   * waited for.
   *
   * @throws `EVENT_BUS_FAILED` when it has not; some may have been accepted
   * @throws `ABORTED` when the signal was aborted; none was published if it was before the call
   */
  publish(events: readonly Event[], options?: CallOptions): Promise<void>;
  /**
   * Hands every event of the given types that is published from now on to the handler; within a `group` each to one
   * subscriber only, on whichever bus of the fleet.
   *
   * Each call is a subscription of its own, also with the same handler. Handlers do not wait for each other, and one may
   * be called again before its last call has ended. One that throws or rejects is logged by core and disturbs nobody; in
   * a group the event is handed again, to any subscriber, until one takes it, and the others go on meanwhile.
   * Subscribers of one group name the same types. What is published while a group has no subscriber may be lost.
   *
   * What is published after the returned function was called does not reach the handler.
   *
   * @throws `ABORTED` when the signal was aborted; nobody is subscribed
   */
  subscribe(
    subscription: EventSubscription,
    handler: EventHandler,
    options?: CallOptions,
  ): Promise<Unsubscribe>;
  /** Whether the backend answers; absent means always. */
  healthy?(): boolean;
}

/** What a bus is told when it is opened. */
export interface EventBusContext {
  readonly fleet: string;
  /** To be told of what the bus does by itself, such as reading on or removing what is old. */
  readonly report?: PartReport | undefined;
}

/** Which events a subscriber wants. */
export interface EventSubscription {
  /** Subscribers with the same group share the work; each without one gets everything. */
  readonly group?: string | undefined;
  /** @defaultValue every type */
  readonly types?: readonly EventType[] | undefined;
}

/** What is done with an event. */
export type EventHandler = (event: Event) => void | Promise<void>;
