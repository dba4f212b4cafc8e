import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import type { ReconcileContext, ReconcileNews } from './keyed-work.js';
import { abortError } from './abort.js';
import { withDeadline } from './deadline.js';
import type { Timers } from './timers.js';

/** One pass of the queue over a key, as its reconciler sees it. */
export class KeyedPass implements ReconcileContext {
  readonly #clock: Timers;
  readonly #freePlace: () => void;
  readonly #controller = new AbortController();
  readonly #waits = new Set<AbortController>();
  #holdsPlace = true;
  #again = false;
  #disturbed = false;
  #abandoned = false;

  constructor(clock: Timers, freePlace: () => void) {
    this.#clock = clock;
    this.#freePlace = freePlace;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether news came since the pass began, so that the key has to be looked at again. */
  get again(): boolean {
    return this.#again;
  }

  /** Whether the queue no longer cares for the key. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  readonly waiting = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const wait = new AbortController();
    if (this.signal.aborted) throw abortError(this.signal, 'A pass');
    if (this.#again) {
      this.#disturbed = true;
      throw interruption();
    }
    this.leave();
    this.#waits.add(wait);
    try {
      return await withDeadline(work, {
        clock: this.#clock,
        timeoutMs: Infinity,
        signals: [wait.signal],
        what: 'A wait',
        expired: interruption,
      });
    } finally {
      this.#waits.delete(wait);
    }
  };

  /** Gives back the place among the passes that run at once, if the pass still has it. */
  leave(): void {
    if (!this.#holdsPlace) return;
    this.#holdsPlace = false;
    this.#freePlace();
  }

  /** Takes in news about the key. */
  tell(news: ReconcileNews): void {
    this.#again = true;
    if (news === 'wish-changed') {
      this.#end(mcpError('ABORTED', 'What is wanted of the key changed; the pass is made again.'));
    } else {
      this.#endWaits(interruption());
    }
  }

  /** Ends the pass for good. */
  abandon(why: string): void {
    this.#abandoned = true;
    this.#again = false;
    this.#end(mcpError('LEASE_LOST', why));
  }

  /** Tells whether the pass failed only because the queue ended it, or a wait of it. */
  endedBy(error: unknown): boolean {
    if (!this.#disturbed) return false;
    if (error === this.signal.reason) return true;
    if (MCPInfraError.isInstance(error)) return error.code === 'ABORTED';
    return error instanceof Error && error.name === 'AbortError';
  }

  #end(reason: MCPInfraError): void {
    this.#disturbed = true;
    this.#controller.abort(reason);
    this.#endWaits(reason);
  }

  #endWaits(reason: MCPInfraError): void {
    for (const wait of this.#waits) {
      this.#disturbed = true;
      wait.abort(reason);
    }
  }
}

function interruption(): MCPInfraError {
  return mcpError('ABORTED', 'News about the key ended the wait; the pass is made again.');
}
