/**
 * Runs work once at a time; who asks for it meanwhile has it run once more, together with all others who asked.
 *
 * There is no flag to be cleared after a run: what was asked for is a promise of its own from the moment it is asked for
 * until its run begins, so no request can fall between the last look and the end.
 */
export class SingleFlight {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  /** The last run, under way or over. */
  #last: Promise<void> = Promise.resolve();
  /** The run that has been asked for and has not begun. */
  #asked: Promise<void> | undefined;

  /** @param failed - told what a run failed with; what it throws itself is dropped */
  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  /** Resolves when a run that began after this call has ended, whether it failed or not. Never rejects. */
  run(): Promise<void> {
    this.#asked ??= this.#last = this.#last.then(() => {
      this.#asked = undefined;
      return this.#attempt();
    });
    return this.#asked;
  }

  /** Resolves when everything that was asked for until now has been done. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #attempt(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      try {
        this.#failed(error);
      } catch {
        // There is nobody else to tell, and the next run must not be lost for it.
      }
    }
  }
}
