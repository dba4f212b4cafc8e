/** Functions that are told of something, each as often as it was added. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly #onError: (error: unknown) => void;

  /** @param onError - told what a listener threw: that is no business of who tells, nor of the other listeners */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Adds a listener, and returns what takes it away again. */
  add(listener: (value: T) => void): () => void {
    // Wrapped, so that the same function given twice is two registrations.
    const registered = (value: T): void => listener(value);
    this.#listeners.add(registered);
    return () => void this.#listeners.delete(registered);
  }

  tell(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
