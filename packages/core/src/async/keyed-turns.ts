import { orAborted } from './abort.js';

/** Lets work on the same key run one after another, in the order it came. */
export class KeyedTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work when its turn has come; an abort before that ends the wait, one after it is for the work to heed. */
  take<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = orAborted(before, signal).then(work);
    // Who gave up waiting must not let those behind overtake who is at work.
    const done = Promise.allSettled([before, turn]).then(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
    this.#last.set(key, done);
    return turn;
  }
}
