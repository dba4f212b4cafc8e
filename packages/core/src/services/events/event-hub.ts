import { BoundedCalls } from '../../async/bounded-calls.js';
import { isThenable } from '../../async/thenable.js';
import type { Event } from '../../domain/events/event.js';
import { eventTypes, type EventType } from '../../domain/events/event-map.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Unsubscribe } from '../../ports/common.js';
import type { Scope } from '../context/access.js';
import type { ServiceContext } from '../context/service-context.js';

/** What is done with an event; a rejection is logged and disturbs nobody. */
export type EventListener<T extends EventType> = (event: Event<T>) => void | Promise<void>;

type AnyListener = (event: Event) => void | Promise<void>;

interface Registration {
  readonly type: EventType | '*';
  readonly scope: Scope;
  readonly calls: BoundedCalls<Event>;
}

/** A listener that has so many events under way is given more when it has ended one. */
const mostAtOnce = 256;
/** So many events wait for a listener; it does not hear of those that come then. */
const mostWaiting = 10_000;

/** Hands events to the listeners of this process. One that is slow delays no other. */
export class EventHub {
  readonly #context: Pick<ServiceContext, 'logger'>;
  readonly #registrations = new Set<Registration>();

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
    const registration: Registration = { type, scope, calls: this.#callsOf(listener as AnyListener) };
    this.#registrations.add(registration);
    return () => {
      this.#registrations.delete(registration);
      registration.calls.clear();
    };
  }

  /** Called once for each event. */
  dispatch(event: Event): void {
    for (const { type, scope, calls } of [...this.#registrations]) {
      if ((type !== '*' && type !== event.type) || (scope !== null && scope !== event.tenant)) continue;
      calls.push(event);
    }
  }

  #callsOf(listener: AnyListener): BoundedCalls<Event> {
    const failed = ({ type }: Event, error: unknown): void => {
      this.#context.logger.error('an event listener failed', { type, error: messageOf(error) });
    };
    const call = (event: Event): Promise<void> | undefined => {
      try {
        const handling: unknown = listener(event);
        return isThenable(handling)
          ? Promise.resolve(handling).then(
              () => undefined,
              (error: unknown) => failed(event, error),
            )
          : undefined;
      } catch (error) {
        failed(event, error);
        return undefined;
      }
    };
    return new BoundedCalls(call, {
      atOnce: mostAtOnce,
      waiting: mostWaiting,
      onRefused: ({ type, position }) => {
        const why = `${String(mostWaiting)} events wait for it: use events.subscribe for what must not be missed`;
        this.#context.logger.warn('an event listener is too slow and misses events', { type, position, why });
      },
    });
  }
}
