import { mcpError } from '../plugin.js';
import type { Activity } from './activity.js';
import type { ManualClock } from './manual-clock.js';

/** So many turns of the event loop in which nothing moved are taken for rest; a step of core takes three at most. */
const quietTurns = 20;
/** What still moves after so many turns, or so long, without time passing does not come to rest by itself. */
const most = { turns: 10_000, realMs: 10_000 };

const stepMs = 1_000;

/** Waits until nothing moves any more at the point in time where a clock stands. */
export class Settling {
  readonly #activity: Activity;
  readonly #clock: ManualClock;
  #atMs = -1;
  #turns = 0;
  #startedMs = 0;

  constructor(activity: Activity, clock: ManualClock) {
    this.#activity = activity;
    this.#clock = clock;
  }

  /** Lets everything that is in flight or due now come to an end. @throws `NOT_SETTLED` */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /** Moves the clock, and lets everything come to rest before and after whatever becomes due. @throws `NOT_SETTLED` */
  async advance(ms: number): Promise<void> {
    this.#atMs = -1;
    await this.#clock.advance(ms, () => this.#rest());
    await this.#rest();
  }

  /** Moves the clock until a promise has settled, at most so far. @throws `NOT_SETTLED`, or what the promise rejects with */
  async advanceUntil(promise: Promise<unknown>, longestMs: number): Promise<void> {
    const pending = new Set([promise]);
    const end = (): void => void pending.delete(promise);
    promise.then(end, end);
    await this.settle();
    for (let waitedMs = 0; pending.size > 0 && waitedMs < longestMs; waitedMs += stepMs)
      await this.advance(stepMs);
    if (pending.size > 0) {
      const message = `Expected an end within ${longestMs / 1_000} s of the clock. ${this.#activity.describe()}`;
      throw mcpError('NOT_SETTLED', message);
    }
    await promise;
  }

  async #rest(): Promise<void> {
    const activity = this.#activity;
    if (this.#atMs !== this.#clock.monotonicMs()) this.#begin();
    let seen = activity.steps;
    for (let quiet = 0; quiet < quietTurns; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (activity.steps !== seen) this.#turns += 1;
      if (activity.steps !== seen || activity.isWaiting) quiet = -1;
      seen = activity.steps;
      const realMs = performance.now() - this.#startedMs;
      if (this.#turns <= most.turns && realMs <= most.realMs) continue;
      throw mcpError(
        'NOT_SETTLED',
        `Expected everything to come to rest, but after ${this.#turns} turns and ${(realMs / 1_000).toFixed(1)} s ` +
          `it still moves. ${activity.describe()}`,
      );
    }
  }

  /** At another point in time everything may move anew. */
  #begin(): void {
    this.#atMs = this.#clock.monotonicMs();
    this.#turns = 0;
    this.#startedMs = performance.now();
    this.#activity.reset();
  }
}
