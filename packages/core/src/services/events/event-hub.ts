import type { Event } from '../../domain/events/event.js';
import { eventTypes, type EventType } from '../../domain/events/event-map.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Unsubscribe } from '../../ports/common.js';
import type { Scope } from '../context/access.js';
import type { ServiceContext } from '../context/service-context.js';

/** What is done with an event; a rejection is logged and disturbs nobody. */
export type EventListener<T extends EventType> = (event: Event<T>) => void | Promise<void>;

interface Registration {
  readonly type: EventType | '*';
  readonly scope: Scope;
  readonly listener: (event: Event) => void | Promise<void>;
}

/** Hands the events that the bus brings to the listeners of this process, each event once. */
export class EventHub {
  readonly #context: Pick<ServiceContext, 'logger'>;
  readonly #registrations = new Set<Registration>();
  // A bus may repeat; so many ids are remembered.
  readonly #seen = new Set<string>();
  static readonly #remembered = 5_000;

  constructor(context: Pick<ServiceContext, 'logger'>) {
    this.#context = context;
  }

  /** @throws `INVALID_ARGUMENT` for an event that does not exist */
  on<T extends EventType>(type: T | '*', scope: Scope, listener: EventListener<T>): Unsubscribe {
    if (type !== '*' && !eventTypes.has(type)) {
      throw mcpError(
        'INVALID_ARGUMENT',
        `There is no event ${JSON.stringify(type)}. Known are: ${[...eventTypes].join(', ')}, or "*".`,
      );
    }
    const registration: Registration = { type, scope, listener: listener as Registration['listener'] };
    this.#registrations.add(registration);
    return () => {
      this.#registrations.delete(registration);
    };
  }

  /** Called by the bus. */
  dispatch(event: Event): void {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    if (this.#seen.size > EventHub.#remembered) {
      const oldest = this.#seen.values().next();
      if (oldest.done !== true) this.#seen.delete(oldest.value);
    }
    for (const { type, scope, listener } of [...this.#registrations]) {
      if ((type !== '*' && type !== event.type) || (scope !== null && scope !== event.tenant)) continue;
      void this.#deliver(event, listener);
    }
  }

  async #deliver(event: Event, listener: Registration['listener']): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#context.logger.error('an event listener failed', { type: event.type, error: messageOf(error) });
    }
  }
}
