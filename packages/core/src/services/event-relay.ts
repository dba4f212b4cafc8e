import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import type { EventBus } from '../ports/event-bus.js';
import type { FleetCondition } from './fleet-condition.js';
import type { ServiceContext } from './service-context.js';

/**
 * Numbers committed events and publishes them: one relay at a time, whoever holds its lease.
 *
 * Woken by commits and swept by a timer, so that an event committed by a process that died is published all the same.
 */
export class EventRelay {
  readonly #context: ServiceContext;
  readonly #bus: EventBus;
  readonly #condition: FleetCondition;
  readonly #mayRelay: () => boolean;
  #running: Promise<void> | undefined;
  #again = false;
  /** Numbered, not yet accepted by the bus. */
  #unpublished: readonly Event[] = [];
  static readonly #batch = 500;

  constructor(
    context: ServiceContext,
    bus: EventBus,
    options: { readonly condition: FleetCondition; readonly mayRelay: () => boolean },
  ) {
    this.#context = context;
    this.#bus = bus;
    this.#condition = options.condition;
    this.#mayRelay = options.mayRelay;
  }

  /** Publishes what is committed. Resolves when nothing is left; never rejects. */
  async run(): Promise<void> {
    if (!this.#mayRelay()) return;
    this.#again = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #loop(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        while (await this.#step());
      } catch (error) {
        this.#context.logger.warn('events are published later', { error: messageOf(error) });
      }
    }
  }

  async #step(): Promise<boolean> {
    if (this.#unpublished.length === 0)
      this.#unpublished = await this.#context.store.events.number(EventRelay.#batch);
    if (this.#unpublished.length === 0) return false;
    try {
      await this.#bus.publish(this.#unpublished);
    } catch (error) {
      this.#condition.degraded(
        'event-bus',
        normaliseError(error, 'EVENT_BUS_FAILED', 'Publishing events failed'),
      );
      return false;
    }
    this.#condition.recovered('event-bus');
    this.#unpublished = [];
    return true;
  }
}
