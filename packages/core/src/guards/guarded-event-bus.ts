import type { Event } from '../domain/events/event.js';
import type { Unsubscribe } from '../ports/common.js';
import type { EventBus, EventHandler, EventSubscription } from '../ports/event-bus.js';
import { Guard, type GuardOptions } from './guard.js';

/** Puts a guard before an event bus. */
export function guardEventBus(bus: EventBus, options: GuardOptions): EventBus {
  const { specificationVersion } = bus;
  const guard = new Guard(
    { port: 'event-bus', name: 'event-bus', specificationVersion, code: 'EVENT_BUS_FAILED', opens: true },
    options,
  );
  const { deadlines } = guard;
  const healthy = bus.healthy?.bind(bus);

  return {
    specificationVersion,
    open: (context, callOptions) => guard.open(callOptions, (bounds) => bus.open(context, bounds)),
    close: (callOptions) => guard.close(callOptions, (bounds) => bus.close(bounds)),
    publish: (events, { signal } = {}) =>
      guard.call('publish', { timeoutMs: deadlines.publishMs, signal }, (bounds) =>
        bus.publish(events, bounds),
      ),
    async subscribe(subscription, handler, { signal } = {}) {
      const subscriber = new Subscriber(guard, subscription, handler);
      const onLate = (unsubscribe: Unsubscribe): void => unsubscribe();
      try {
        const unsubscribe = await guard.call(
          'subscribe',
          { timeoutMs: deadlines.callMs, signal, onLate },
          (bounds) => bus.subscribe(subscription, (event) => subscriber.handle(event), bounds),
        );
        return () => subscriber.leave(unsubscribe);
      } catch (error) {
        subscriber.leave(() => undefined);
        throw error;
      }
    },
    ...(healthy && {
      healthy: () => {
        try {
          return guard.atOnce('healthy', healthy(), {
            expected: 'true or false',
            fits: (answer) => typeof answer === 'boolean',
          });
        } catch {
          // A bus that cannot even say how it is, is not well.
          return false;
        }
      },
    }),
  };
}

/** Stands between the bus and a handler. */
class Subscriber {
  readonly #guard: Guard;
  readonly #subscription: EventSubscription;
  readonly #handler: EventHandler;
  #left = false;

  constructor(guard: Guard, subscription: EventSubscription, handler: EventHandler) {
    this.#guard = guard;
    this.#subscription = subscription;
    this.#handler = handler;
  }

  async handle(event: Event): Promise<void> {
    if (this.#left) return;
    try {
      await this.#handler(event);
    } catch (error) {
      this.#guard.warn(`A handler of ${event.type} failed`, error);
      // In a group the rejection has the bus deliver again; elsewhere nobody is there to take it.
      if (this.#subscription.group !== undefined) throw error;
    }
  }

  leave(unsubscribe: Unsubscribe): void {
    if (this.#left) return;
    this.#left = true;
    this.#guard.letGo('Ending a subscription', unsubscribe);
  }
}
