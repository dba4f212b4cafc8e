import type { SlotKey } from './fair-slots.js';

/** What one pass over a key is given. */
export interface ReconcileContext {
  /** Aborted when what is wanted of the key changed, when its lease is lost, and when the worker stops. */
  readonly signal: AbortSignal;
  /**
   * Runs a part of the pass that only waits, such as for a server to become ready. Any news about the key ends it early:
   * the returned promise then rejects and the pass runs again from the start.
   */
  waiting<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * Counts the pass among those of a group from here on, so that a group whose passes hang keeps no other from acting; the
   * shares in a group take turns.
   * Waits until there is a place in it; news ends that as in `waiting`.
   */
  enter(place: SlotKey): Promise<void>;
  /** Gives up the pass's place among those that act at once: what follows waits, and no news may end it. */
  leave(): void;
}

/** What a pass asks for. */
export interface ReconcileResult {
  /** Look again after this time even if nothing happens. */
  readonly requeueAfterMs?: number | undefined;
}

/** News about a key, for the queue. */
export type ReconcileNews =
  /** Look when you can; ends a wait. */
  | 'hint'
  /** What is wanted changed: ends whatever is under way. */
  | 'wish-changed';

/** What two results ask for: to look again when either wants to. */
export function soonest(a: ReconcileResult, b: ReconcileResult): ReconcileResult {
  if (a.requeueAfterMs === undefined || b.requeueAfterMs === undefined)
    return { requeueAfterMs: a.requeueAfterMs ?? b.requeueAfterMs };
  return { requeueAfterMs: Math.min(a.requeueAfterMs, b.requeueAfterMs) };
}
