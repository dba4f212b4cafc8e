import { mcpError } from '../../plugin-essentials.js';
import type { CallOptions } from '../../plugin.js';

/** Lets one piece of work run at a time, in the order of asking. */
export class Turns {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  async take<T>(work: () => T | Promise<T>, options?: CallOptions): Promise<T> {
    refuseAborted(options);
    if (this.#busy) await this.#wait(options?.signal);
    this.#busy = true;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The turn passes on without becoming free, so that a newcomer cannot slip in between.
      if (next === undefined) this.#busy = false;
      else next();
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(aborted(signal));
      };
      this.#waiting.push(turn);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}

/** @throws `ABORTED` when the caller has given up */
export function refuseAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted === true) throw aborted(options.signal);
}

/** The error for a call whose signal ended it. */
export function aborted(signal: AbortSignal | undefined): Error {
  return mcpError('ABORTED', 'The call of the store was aborted before it committed; nothing was changed.', {
    cause: signal?.reason,
  });
}
