import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { abortError, onAbort } from './abort.js';

/** Bounds how many pieces of work run at once; the others stand in line, first come, first served. */
export class Slots {
  readonly #count: number;
  readonly #line = new Set<() => void>();
  #inUse = 0;

  /** @throws `INVALID_OPTIONS` for a count that is not a whole number above 0 */
  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1) {
      throw mcpError(
        'INVALID_OPTIONS',
        `Expected a number of slots of 1 or more, got ${count}; give a whole number above 0.`,
      );
    }
    this.#count = count;
  }

  /** How many pieces of work run. */
  get inUse(): number {
    return this.#inUse;
  }

  /** How many stand in line. */
  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Runs work when a slot is free and frees the slot when the work is over.
   *
   * An abort ends the waiting only; work that has begun looks at the signal itself.
   *
   * @throws `ABORTED`, or the reason of the signal when it is an error of this library
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) throw abortError(signal, 'Waiting for a slot');
    if (this.#inUse < this.#count) this.#inUse++;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#free();
    }
  }

  /** Resolves once a slot has been handed over, still counted as in use, so that nobody can slip in between. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopListening =
        signal &&
        onAbort(signal, () => {
          this.#line.delete(enter);
          reject(abortError(signal, 'Waiting for a slot'));
        });
      const enter = (): void => {
        stopListening?.();
        resolve();
      };
      this.#line.add(enter);
    });
  }

  #free(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#inUse--;
      return;
    }
    this.#line.delete(next);
    next();
  }
}
