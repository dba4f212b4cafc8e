import { AsyncLocalStorage } from 'node:async_hooks';
import { onAbort } from '../../async/abort.js';
import type { Event } from '../../domain/events/event.js';
import type { Clock } from '../../ports/clock.js';

/** What the handler of a durable subscription is given besides the event. */
export interface HandlerContext {
  /** Aborted when the subscription is closed: the handler had better end soon. */
  readonly signal: AbortSignal;
}

/** What a durable subscription does with an event. */
export type EventHandling = (event: Event, context: HandlerContext) => void | Promise<void>;

/** Which call of a handler the code that asks was called by, however many awaits ago. */
const calledBy = new AsyncLocalStorage<symbol>();
/** A handler that takes longer for one event is told of: nothing else is handled meanwhile. */
const lateMs = 60_000;

/** The calls of one handler, one after the other. */
export class HandlerCalls {
  readonly #handler: EventHandling;
  readonly #clock: Clock;
  readonly #onLate: (lateMs: number) => void;
  #current: symbol | undefined;

  /** @param onLate - told of a call that takes long, while it does */
  constructor(
    handler: EventHandling,
    { clock, onLate }: { readonly clock: Clock; readonly onLate: (lateMs: number) => void },
  ) {
    this.#handler = handler;
    this.#clock = clock;
    this.#onLate = onLate;
  }

  /** Whether whoever asks is the call under way, or was called by it: waiting for its end it would wait for itself. */
  get isInside(): boolean {
    return this.#current !== undefined && calledBy.getStore() === this.#current;
  }

  /** Calls the handler. @throws what it throws */
  async call(event: Event, context: HandlerContext): Promise<void> {
    const call = Symbol(event.id);
    this.#current = call;
    const cancel = this.#clock.schedule(lateMs, () => this.#onLate(lateMs));
    // A handler that never ends must not leave a timer behind.
    const unlisten = onAbort(context.signal, cancel);
    try {
      await calledBy.run(call, async () => this.#handler(event, context));
    } finally {
      cancel();
      unlisten();
      this.#current = undefined;
    }
  }
}
