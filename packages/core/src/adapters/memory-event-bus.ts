import { EventEmitter } from 'eventemitter3';
import {
  BoundedCalls,
  eventTypes,
  mcpError,
  orAborted,
  sleep,
  systemClock,
  throwIfAborted,
} from '../plugin-essentials.js';
import type {
  CallOptions,
  Event,
  EventBus,
  EventHandler,
  EventSubscription,
  Unsubscribe,
} from '../plugin.js';

/** Makes a bus that carries events within this process. */
export function memoryEventBus(): EventBus {
  return new MemoryEventBus();
}

/** The wait before a group is handed an event again: doubled each time from the first to the last. */
const retryMs = { first: 10, last: 1000 };

/** A subscriber that is in no group has so many events under way. */
const mostAtOnce = 256;

class MemoryEventBus implements EventBus {
  readonly specificationVersion = 'v1';
  readonly #emitter = new EventEmitter<Record<string, [Event]>>();
  readonly #groups = new Map<string, Group>();
  readonly #deliveries = new Set<Promise<boolean>>();
  #closed = false;

  async open(): Promise<void> {
    // Nothing to connect to.
  }

  async close(options?: CallOptions): Promise<void> {
    this.#closed = true;
    this.#emitter.removeAllListeners();
    while (this.#deliveries.size > 0) await orAborted(Promise.all(this.#deliveries), options?.signal);
  }

  async publish(events: readonly Event[], options?: CallOptions): Promise<void> {
    this.#refuseIfOver(options);
    for (const event of events) this.#emitter.emit(event.type, event);
  }

  async subscribe(
    { group: name, types }: EventSubscription,
    handler: EventHandler,
    options?: CallOptions,
  ): Promise<Unsubscribe> {
    this.#refuseIfOver(options);
    const wanted = new Set<string>(types ?? eventTypes);
    return name === undefined ? this.#alone(wanted, handler) : this.#inGroup(name, { wanted, handler });
  }

  #refuseIfOver(options: CallOptions | undefined): void {
    throwIfAborted(options?.signal);
    if (this.#closed)
      throw mcpError('EVENT_BUS_FAILED', 'The event bus has been closed: it takes no events or subscribers.');
  }

  #alone(wanted: ReadonlySet<string>, handler: EventHandler): Unsubscribe {
    // A function of its own, so that a handler subscribed twice is two subscriptions.
    const calls = new BoundedCalls<Event>((event) => this.#handled(handler, event), { atOnce: mostAtOnce });
    const listener = (event: Event): void => calls.push(event);
    for (const type of wanted) this.#emitter.on(type, listener);
    return () => {
      calls.clear();
      for (const type of wanted) this.#emitter.off(type, listener);
    };
  }

  #inGroup(name: string, member: Member): Unsubscribe {
    const group = this.#groups.get(name) ?? this.#newGroup(name);
    const leave = group.join(member);
    return () => {
      leave();
      if (!group.isEmpty || this.#groups.get(name) !== group) return;
      this.#groups.delete(name);
      for (const type of eventTypes) this.#emitter.off(type, group.listener);
    };
  }

  #newGroup(name: string): Group {
    const group = new Group((event) => void this.#deliverToOne(group, event));
    this.#groups.set(name, group);
    for (const type of eventTypes) this.#emitter.on(type, group.listener);
    return group;
  }

  async #deliverToOne(group: Group, event: Event): Promise<void> {
    for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.last)) {
      const member = group.next(event);
      if (member === undefined || (await this.#deliver(member.handler, event))) return;
      await sleep(systemClock, waitMs);
      if (this.#closed) return;
    }
  }

  async #handled(handler: EventHandler, event: Event): Promise<void> {
    await this.#deliver(handler, event);
  }

  /** Tells whether the handler took the event. Its errors are no business of the publisher. */
  #deliver(handler: EventHandler, event: Event): Promise<boolean> {
    const delivery = Promise.resolve(event)
      .then(handler)
      .then(
        () => true,
        () => false,
      );
    this.#deliveries.add(delivery);
    void delivery.then(() => this.#deliveries.delete(delivery));
    return delivery;
  }
}

interface Member {
  readonly wanted: ReadonlySet<string>;
  readonly handler: EventHandler;
}

/** Subscribers that share the work. */
class Group {
  readonly listener: (event: Event) => void;
  readonly #members: Member[] = [];

  constructor(listener: (event: Event) => void) {
    this.listener = listener;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** Adds a member, and returns what takes it away again. */
  join(member: Member): () => void {
    this.#members.push(member);
    return () => {
      const index = this.#members.indexOf(member);
      if (index >= 0) this.#members.splice(index, 1);
    };
  }

  /** The member whose turn it is, of those that want such an event. */
  next(event: Event): Member | undefined {
    const index = this.#members.findIndex((member) => member.wanted.has(event.type));
    const [member] = index < 0 ? [] : this.#members.splice(index, 1);
    if (member !== undefined) this.#members.push(member);
    return member;
  }
}
