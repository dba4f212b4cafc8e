import type { Clock } from '../ports/clock.js';
import type { Store } from '../ports/store.js';

/** A difference this small, in milliseconds, is left alone, so that times do not jitter with each look. */
const toleratedMs = 50;

/**
 * This process's clock, set by the store's: times that processes write for one another mean the same in all of them,
 * whatever their machines' clocks say.
 */
export class FleetClock implements Clock {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return this.#clock.schedule(delayMs, callback);
  }

  /** Asks the store what time it is. @throws `STORE_FAILED` */
  async align(store: Pick<Store, 'now'>): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    const told = Date.parse(await store.now());
    const tripMs = this.#clock.monotonicMs() - sentMs;
    const offsetMs = told + tripMs / 2 - this.#clock.now();
    if (Math.abs(offsetMs - this.#offsetMs) > tripMs + toleratedMs) this.#offsetMs = Math.round(offsetMs);
  }
}
