import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { ReconcileContext, ReconcileNews, ReconcileResult } from './keyed-work.js';
import { FairSlots, type SlotKey } from './fair-slots.js';
import { KeyedPass } from './keyed-pass.js';
import { retryDelayMs } from './retry.js';
import { TimerHeap } from './timer-heap.js';
import type { Timers } from './timers.js';

/** What a queue does with its keys. */
export interface KeyedQueueOptions {
  /** Makes one pass over a key. Never called for a key whose last pass is not over. */
  readonly reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>;
  readonly clock: Timers;
  /** How many passes run at once in each group they enter, and before they enter one; those that wait do not count. */
  readonly parallel: number;
  /** Told of each pass that failed; `failures` counts those in a row. What it throws is dropped. */
  readonly onError: (key: string, error: unknown, failures: number) => void;
  /**
   * How long after a failed pass the next one is made, in milliseconds.
   *
   * @defaultValue 1 s, doubling up to 60 s
   */
  readonly retryMs?: ((failures: number, error: unknown) => number) | undefined;
}

/**
 * Runs a reconciler over keys: a key is never in two passes at once, and news that comes during a pass leads to another
 * pass after it. Ready keys are served in the order they came.
 */
export class KeyedQueue {
  readonly #options: KeyedQueueOptions;
  /** Keys to be looked at as soon as there is a place. Such a key has no timer and no pass. */
  readonly #ready = new Set<string>();
  readonly #timers: TimerHeap<string>;
  readonly #passes = new Map<string, KeyedPass>();
  readonly #failures = new Map<string, number>();
  readonly #idleListeners: (() => void)[] = [];
  readonly #groups: FairSlots;
  #placesTaken = 0;
  #waking = false;
  #stopped = false;

  /** @throws `INVALID_OPTIONS` for a `parallel` that is not a whole number above 0 */
  constructor(options: KeyedQueueOptions) {
    if (!Number.isInteger(options.parallel) || options.parallel < 1) {
      throw mcpError(
        'INVALID_OPTIONS',
        `Expected parallel to be 1 or more, got ${options.parallel}; give a whole number above 0.`,
      );
    }
    this.#options = options;
    this.#groups = new FairSlots(options.parallel, options.clock);
    this.#timers = new TimerHeap(options.clock, (key) => this.add(key));
  }

  /** How many passes are under way, those that wait included. */
  get inFlight(): number {
    return this.#passes.size;
  }

  /** How many keys something is kept of: those to be looked at now or later, and those whose last pass failed. */
  get size(): number {
    return (
      this.#ready.size + this.#timers.size + this.#passes.size + this.#failures.size + this.#groups.inUse()
    );
  }

  /**
   * Has the key looked at as soon as there is a place, whatever it was waiting for.
   *
   * A pass under way is followed by another one; `hint` ends its waits, `wish-changed` all of it.
   */
  add(key: string, news: ReconcileNews = 'hint'): void {
    if (this.#stopped) return;
    this.#timers.delete(key);
    const pass = this.#passes.get(key);
    if (pass !== undefined) {
      pass.tell(news);
      return;
    }
    this.#ready.add(key);
    this.#wake();
  }

  /** Has the key looked at after a time, unless it is to be looked at earlier anyway. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    if (this.#stopped || this.#ready.has(key) || this.#passes.get(key)?.again === true) return;
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    if (dueMs < (this.#timers.dueMs(key) ?? Infinity)) this.#timers.set(key, dueMs);
  }

  /** Drops a key that is no longer ours: a pass under way is aborted with `LEASE_LOST` and not repeated. */
  forget(key: string): void {
    this.#ready.delete(key);
    this.#timers.delete(key);
    this.#failures.delete(key);
    this.#passes
      .get(key)
      ?.abandon('The key is no longer looked after by this worker; its next owner goes on.');
    this.#tellIdle();
  }

  /** Resolves when no pass is under way and none is due; keys that wait for a later time do not count. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
      this.#tellIdle();
    });
  }

  /**
   * Aborts the passes under way with `LEASE_LOST`, waits for them to end and drops everything else. Idempotent.
   *
   * Not to be awaited by a pass.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.clear();
    this.#timers.clear();
    this.#failures.clear();
    for (const pass of this.#passes.values())
      pass.abandon('The worker stops; the next owner of the key goes on.');
    await this.idle();
  }

  /**
   * Starts passes in the next turn of the event loop: `add` costs its caller nothing, and keys that always want to be
   * looked at again cannot keep the loop from everything else.
   */
  #wake(): void {
    if (this.#waking || this.#ready.size === 0 || this.#placesTaken >= this.#options.parallel) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      for (const key of this.#ready) {
        if (this.#placesTaken >= this.#options.parallel) break;
        this.#ready.delete(key);
        void this.#run(key);
      }
    });
  }

  async #run(key: string): Promise<void> {
    const pass = new KeyedPass(this.#options.clock, {
      free: () => {
        this.#placesTaken--;
        this.#wake();
      },
      take: (place, signal) => this.#takePlace(place, signal),
    });
    this.#placesTaken++;
    this.#passes.set(key, pass);
    const nextMs = await this.#nextLook(key, pass);
    this.#passes.delete(key);
    pass.leave();
    if (pass.again) this.add(key);
    else if (nextMs !== undefined && !pass.abandoned) this.addAfter(key, nextMs);
    this.#tellIdle();
  }

  /** Resolves to what frees the place. */
  #takePlace(place: SlotKey, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const hold = (): Promise<void> => new Promise((free) => resolve(free));
      this.#groups.run(place, hold, signal).catch(reject);
    });
  }

  /** Makes the pass and returns after which time the key wants to be looked at again. */
  async #nextLook(key: string, pass: KeyedPass): Promise<number | undefined> {
    const { reconcile, retryMs = defaultRetryMs } = this.#options;
    try {
      const { requeueAfterMs } = await reconcile(key, pass);
      this.#failures.delete(key);
      return requeueAfterMs;
    } catch (error) {
      if (pass.endedBy(error)) return undefined;
      const failures = (this.#failures.get(key) ?? 0) + 1;
      if (!pass.abandoned) this.#failures.set(key, failures);
      this.#tellError(key, error, failures);
      return retryMs(failures, error);
    }
  }

  #tellError(key: string, error: unknown, failures: number): void {
    try {
      this.#options.onError(key, error, failures);
    } catch {
      // The queue has nobody else to tell, and must go on.
    }
  }

  #tellIdle(): void {
    if (this.#passes.size > 0 || this.#ready.size > 0) return;
    if (this.#timers.nextDueMs <= this.#options.clock.monotonicMs()) return;
    for (const resolve of this.#idleListeners.splice(0)) resolve();
  }
}

function defaultRetryMs(failures: number): number {
  // The first try again is not at once, unlike that of a crashed server: what failed here is most often a backend.
  return retryDelayMs(failures + 1, 0);
}
