/** The part of a clock that waiting needs; the `Clock` of a fleet is one. */
export interface Timers {
  /** Milliseconds since some point, never going back. */
  monotonicMs(): number;
  /** Calls back once after at least `delayMs`. Returns what cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}
