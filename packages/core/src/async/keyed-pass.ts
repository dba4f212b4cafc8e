import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import type { ReconcileContext, ReconcileNews } from './keyed-work.js';
import type { SlotKey } from './fair-slots.js';
import { abortError } from './abort.js';
import { withDeadline } from './deadline.js';
import type { Timers } from './timers.js';

/** The places among the passes that run at once. */
export interface Places {
  /** Frees the place that the pass began with. */
  free(): void;
  /** Takes one in a group, when there is one; resolves to what frees it. */
  take(place: SlotKey, signal: AbortSignal): Promise<() => void>;
}

/** One pass of the queue over a key, as its reconciler sees it. */
export class KeyedPass implements ReconcileContext {
  readonly #clock: Timers;
  readonly #places: Places;
  readonly #controller = new AbortController();
  readonly #waits = new Set<AbortController>();
  /** Frees the place that the pass has, where it has one. */
  #freePlace: (() => void) | undefined;
  #again = false;
  #disturbed = false;
  #abandoned = false;

  constructor(clock: Timers, places: Places) {
    this.#clock = clock;
    this.#places = places;
    this.#freePlace = () => places.free();
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

  readonly enter = async (key: SlotKey): Promise<void> => {
    let place: Promise<() => void> | undefined;
    try {
      this.#freePlace = await this.waiting((signal) => (place = this.#places.take(key, signal)));
    } catch (error) {
      // One that was given in the same moment goes back.
      place?.then(
        (free) => free(),
        () => undefined,
      );
      throw error;
    }
  };

  /** Gives back the place among the passes that run at once, if the pass still has it. */
  leave(): void {
    const free = this.#freePlace;
    this.#freePlace = undefined;
    free?.();
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
