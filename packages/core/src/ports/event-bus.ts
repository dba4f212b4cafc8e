import type { Event } from '../domain/events/event.js';
import type { EventType } from '../domain/events/event-map.js';
import type { CallOptions, Unsubscribe } from './common.js';

/**
 * Carries committed events between processes. It wakes and fans out; nothing depends on it: order and completeness come
 * from the store's event log.
 *
 * At least once, unordered, may repeat. A bus whose backend is away rejects `publish` and goes on trying to reconnect;
 * the relay publishes again.
 */
export interface EventBus {
  readonly specificationVersion: 'v1';
  /** Connects. A backend that is away is no error here: the bus reconnects by itself. */
  open(context: EventBusContext, options?: CallOptions): Promise<void>;
  /** Delivers what was accepted, then disconnects. Idempotent. */
  close(options?: CallOptions): Promise<void>;
  /** Resolves when the backend has accepted every event. @throws `EVENT_BUS_FAILED` */
  publish(events: readonly Event[], options?: CallOptions): Promise<void>;
  /**
   * Hands every event of the given types to the handler; within a `group` each to one subscriber only.
   *
   * A handler that throws or rejects is logged by core and, in a group, handed the event again.
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
}

/** Which events a subscriber wants. */
export interface EventSubscription {
  readonly group?: string | undefined;
  readonly types?: readonly EventType[] | undefined;
}

/** What is done with an event. */
export type EventHandler = (event: Event) => void | Promise<void>;
