/**
 * Makes something once for everybody who asks: those who ask while it is being made share the attempt; what was made is
 * kept, a failure is not.
 */
export class Once<T> {
  readonly #make: () => Promise<T>;
  #made: Promise<T> | undefined;

  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  /** Whether it is being made or has been. */
  get begun(): boolean {
    return this.#made !== undefined;
  }

  /** What was made, or is being made; made now where it was not or failed. @throws what making it threw */
  get(): Promise<T> {
    this.#made ??= this.#attempt();
    return this.#made;
  }

  /** Forgets what was made, so that the next who asks has it made anew. */
  forget(): void {
    this.#made = undefined;
  }

  async #attempt(): Promise<T> {
    // Not at once: a failure must not be forgotten before it has been kept.
    await Promise.resolve();
    const attempt = this.#made;
    try {
      return await this.#make();
    } catch (error) {
      // Before the promise rejects, so that who asks after the failure does not get it.
      if (this.#made === attempt) this.#made = undefined;
      throw error;
    }
  }
}
