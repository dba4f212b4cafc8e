/** The waits between lists, in milliseconds. */
const firstMs = 250;
const longestMs = 30_000;
const quietMs = 5_000;

/**
 * Keeps time between the lists of one server's tools: the first notice is heeded at once, and the wait doubles with each
 * list while notices keep coming, so that a server that says so a thousand times a second is asked every 30 seconds.
 */
export class ListingFloor {
  #waitMs = 0;
  #beganMs = -Infinity;
  #heardMs = -Infinity;

  /** From when on the tools may be listed again. */
  get dueMs(): number {
    return this.#beganMs + this.#waitMs;
  }

  /** The server said that its tools changed. */
  heard(nowMs: number): void {
    if (nowMs - this.#heardMs >= Math.max(quietMs, this.#waitMs)) this.#waitMs = 0;
    this.#heardMs = nowMs;
  }

  /** Listing begins. */
  began(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#waitMs = Math.min(longestMs, Math.max(firstMs, this.#waitMs * 2));
  }
}
