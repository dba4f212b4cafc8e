import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Event, EventBus } from '@mcpinfra/core/plugin';
import { eventually } from '../eventually.js';
import { within } from '../within.js';
import { exampleEvent } from './example-events.js';
import { Inbox } from './subscribers.js';

/** What one case works on. */
export interface EventBusHarness {
  /** A bus that is not open yet, on a backend that no other case uses at this time. */
  readonly bus: EventBus;
  /**
   * Makes a second bus on the same backend, not open yet: what another process would have. Leave it out when no two
   * buses can share a backend.
   */
  readonly another?: (() => EventBus) | undefined;
  /** Ends the backend. The buses have been closed. */
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** The buses of one case: as many processes as it asks for. */
export class Buses {
  readonly fleet = `conformance-${randomUUID()}`;
  readonly patienceMs: number;
  readonly #harness: EventBusHarness;
  readonly #buses = new Set<EventBus>();

  constructor(harness: EventBusHarness, patienceMs: number) {
    this.#harness = harness;
    this.#buses.add(harness.bus);
    this.patienceMs = patienceMs;
  }

  /** The bus before it is opened. */
  get unopened(): EventBus {
    return this.#harness.bus;
  }

  get isShared(): boolean {
    return this.#harness.another !== undefined;
  }

  /** The bus, open. */
  async open(): Promise<EventBus> {
    return this.#opening(this.#harness.bus, this.fleet);
  }

  /** A bus of another process, open; of the same fleet unless one is given. */
  async openAnother(fleet = this.fleet): Promise<EventBus> {
    const bus = this.#harness.another?.() ?? this.#harness.bus;
    return this.#opening(bus, fleet);
  }

  /** Waits until a check holds. */
  async eventually(check: () => void | Promise<void>): Promise<void> {
    await eventually(check, this.patienceMs);
  }

  /** Waits for what must settle. */
  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(this.patienceMs, what, promise);
  }

  /**
   * Waits until what was published before has had its time: two further events, one after the other, have come round.
   * To see that something does not come, this is as long as one can wait without guessing a duration.
   */
  async settle(bus: EventBus): Promise<readonly Event[]> {
    const witness = new Inbox();
    const leave = await bus.subscribe({}, witness.take);
    const markers = [exampleEvent(), exampleEvent()];
    for (const marker of markers) {
      await bus.publish([marker]);
      await this.eventually(() =>
        assert.ok(witness.timesOf(marker) > 0, 'a subscriber of every type misses an event'),
      );
    }
    leave();
    return markers;
  }

  async dispose(): Promise<void> {
    const closing = [...this.#buses].map((bus) => within(this.patienceMs, 'close()', bus.close()));
    // That closing works is a requirement of its own; here it must not hide why a case failed.
    await Promise.allSettled(closing);
    await this.#harness.dispose?.();
  }

  async #opening(bus: EventBus, fleet: string): Promise<EventBus> {
    this.#buses.add(bus);
    await this.within('open()', bus.open({ fleet }));
    return bus;
  }
}
