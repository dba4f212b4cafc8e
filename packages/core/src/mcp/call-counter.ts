import type { CallOptions } from '../ports/common.js';
import { orAborted } from '../async/abort.js';

/** Counts the calls in flight over all sessions of a link. */
export class CallCounter {
  #inFlight = 0;
  #waiting: (() => void)[] = [];

  get inFlight(): number {
    return this.#inFlight;
  }

  begin(): void {
    this.#inFlight += 1;
  }

  end(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when no call is in flight. */
  async drained(options: CallOptions = {}): Promise<void> {
    if (this.#inFlight === 0) return;
    await orAborted(new Promise<void>((resolve) => this.#waiting.push(resolve)), options.signal);
  }
}

/** Tells whether a request is a call: neither a look whether the server lives nor a stream that stays open. */
export function isCall(method: string): boolean {
  return !['ping', 'initialize', 'server/discover', 'subscriptions/listen'].includes(method);
}
