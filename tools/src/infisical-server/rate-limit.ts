/** Admits so many requests of each route in a window of time. */
export class RateLimit {
  readonly #requests: number;
  readonly #windowMs: number;
  readonly #windows = new Map<string, { readonly untilMs: number; count: number }>();

  constructor({ requests, windowMs }: { readonly requests: number; readonly windowMs: number }) {
    this.#requests = requests;
    this.#windowMs = windowMs;
  }

  /** Counts a request; gives how long it has to wait. */
  admit(route: string): number {
    const nowMs = Date.now();
    let window = this.#windows.get(route);
    if (!window || nowMs >= window.untilMs) {
      window = { untilMs: nowMs + this.#windowMs, count: 0 };
      this.#windows.set(route, window);
    }
    window.count += 1;
    return window.count > this.#requests ? window.untilMs - nowMs : 0;
  }
}
