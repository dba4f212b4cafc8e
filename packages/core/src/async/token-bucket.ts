import type { Timers } from './timers.js';

/** How much may be spent. */
export interface TokenBucketOptions {
  readonly clock: Pick<Timers, 'monotonicMs'>;
  readonly perSecond: number;
  /** What may be spent at once after a time of rest. */
  readonly burst: number;
}

/** Bounds how much is spent per second: spending is never refused, but says how long to wait before the next. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #left: number;
  #atMs: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#left = options.burst;
    this.#atMs = options.clock.monotonicMs();
  }

  /** Spends, and gives the milliseconds until something is left again; 0 while something is. */
  spend(amount: number): number {
    const { clock, perSecond, burst } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) * perSecond) / 1_000) - amount;
    this.#atMs = nowMs;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / perSecond);
  }
}
