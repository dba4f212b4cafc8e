/** Notes what moves, so that a test can wait until nothing does and can say what does not come to rest. */
export class Activity {
  readonly #inFlight = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  #steps = 0;

  /** How much has been noted so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether somebody waits for something that ends without time passing. */
  get isWaiting(): boolean {
    return this.#inFlight.size > 0;
  }

  note(what: string): void {
    this.#steps += 1;
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  /** Notes the beginning and the end of something. */
  follow(what: string, promise: Promise<unknown>): void {
    this.note(what);
    this.#inFlight.set(what, (this.#inFlight.get(what) ?? 0) + 1);
    const end = (): void => {
      this.#steps += 1;
      const left = (this.#inFlight.get(what) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(what);
      else this.#inFlight.set(what, left);
    };
    promise.then(end, end);
  }

  /** Forgets how often what was seen; what is in flight stays so. */
  reset(): void {
    this.#seen.clear();
  }

  /** Says what is in flight and what moved most since the last reset. */
  describe(): string {
    const most = [...this.#seen].sort(([, a], [, b]) => b - a).slice(0, 5);
    const moved = most.map(([what, times]) => `${what} (${times} times)`).join(', ');
    const inFlight = [...this.#inFlight.keys()].join(', ');
    return `In flight: ${inFlight === '' ? 'nothing' : inFlight}. Moved most: ${moved === '' ? 'nothing' : moved}.`;
  }
}
