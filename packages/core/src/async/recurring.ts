import { SingleFlight } from './single-flight.js';
import type { Timers } from './timers.js';

/** What is done again and again. */
export interface RecurringOptions {
  readonly clock: Timers;
  /** Does it once, and says after how many milliseconds again. */
  readonly work: () => Promise<number>;
  /** After how many milliseconds it is done again when it failed. */
  readonly retryMs: number;
  readonly failed: (error: unknown) => void;
}

/**
 * Does work again and again: once at a time, after the time that the last run asked for, or at once when told to.
 *
 * Every run ends in a timer that is set, so that no request and no failure can leave it asleep for good.
 */
export class Recurring {
  readonly #options: RecurringOptions;
  readonly #flight: SingleFlight;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(options: RecurringOptions) {
    this.#options = options;
    this.#flight = new SingleFlight(() => this.#once(), options.failed);
  }

  /** Does it now, or once more after the run under way. Resolves when that is over; at once after `stop`. */
  async now(): Promise<void> {
    if (!this.#stopped) await this.#flight.run();
  }

  /** Resolves when the run under way, where there is one, is over. */
  async settled(): Promise<void> {
    await this.#flight.settled();
  }

  /** Ends it; resolves when the run under way is over. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#flight.settled();
  }

  async #once(): Promise<void> {
    if (this.#stopped) return;
    this.#cancel?.();
    let nextMs = this.#options.retryMs;
    try {
      nextMs = await this.#options.work();
    } finally {
      if (!this.#isStopped()) {
        this.#cancel = this.#options.clock.schedule(nextMs, () => void this.#flight.run());
      }
    }
  }

  /** Reads it anew: it may have been stopped during the run. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}
