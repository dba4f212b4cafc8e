/**
 * Time as core sees it. The default is the machine's; tests give a manual one.
 *
 * `now` may jump; waits and leases use `monotonicMs`, which does not.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some point, never going back. */
  monotonicMs(): number;
  /** Calls back once after at least `delayMs`; must not keep the process alive. Returns what cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}
