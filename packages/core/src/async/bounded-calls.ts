/** How many calls a {@link BoundedCalls} makes. */
export interface BoundedCallsOptions<T> {
  /** So many are under way at once. */
  readonly atOnce: number;
  /** So many wait for their turn. @defaultValue as many as come */
  readonly waiting?: number | undefined;
  /** Told of what came when all places were taken; it is not called with. */
  readonly onRefused?: ((value: T) => void) | undefined;
}

/**
 * Calls a function with one value after the other, in their order, but with no more at once than it can bear: the others
 * wait. A call that has ended when it returns takes no place. The function must not throw or reject.
 */
export class BoundedCalls<T> {
  readonly #call: (value: T) => void | Promise<void>;
  readonly #options: BoundedCallsOptions<T>;
  readonly #waiting: T[] = [];
  #underWay = 0;

  constructor(call: (value: T) => void | Promise<void>, options: BoundedCallsOptions<T>) {
    this.#call = call;
    this.#options = options;
  }

  /** Calls with the value now, or when there is room. */
  push(value: T): void {
    const { waiting = Infinity, onRefused } = this.#options;
    if (this.#waiting.length >= waiting && this.#isFull) {
      onRefused?.(value);
      return;
    }
    this.#waiting.push(value);
    this.#goOn();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }

  get #isFull(): boolean {
    return this.#underWay >= this.#options.atOnce;
  }

  #goOn(): void {
    while (!this.#isFull) {
      const [value] = this.#waiting.splice(0, 1);
      if (value === undefined) return;
      const called = this.#call(value);
      if (called === undefined) continue;
      this.#underWay += 1;
      void called.then(() => {
        this.#underWay -= 1;
        this.#goOn();
      });
    }
  }
}
