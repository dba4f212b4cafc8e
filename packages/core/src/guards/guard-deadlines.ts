/** How long core waits for a plugin, in milliseconds, by what is asked of it. */
export interface Deadlines {
  /** @defaultValue 30 000 */
  readonly openMs: number;
  /** @defaultValue 10 000 */
  readonly closeMs: number;
  /** Whatever has no deadline of its own. @defaultValue 15 000 */
  readonly callMs: number;
  /** @defaultValue 30 000 */
  readonly dialMs: number;
  /** @defaultValue 30 000 */
  readonly listMs: number;
  /** Getting an image. @defaultValue 1 800 000 */
  readonly prepareMs: number;
  /** @defaultValue 120 000 */
  readonly ensureRunningMs: number;
  /** Stopping and destroying, beyond the grace that the server is given. @defaultValue 30 000 */
  readonly stopMs: number;
  /** @defaultValue 10 000 */
  readonly storeMs: number;
  /** A whole transaction. @defaultValue 30 000 */
  readonly transactionMs: number;
  /** @defaultValue 10 000 */
  readonly publishMs: number;
  /** @defaultValue 20 000 */
  readonly secretsMs: number;
}

/** What applies where the host is silent. */
export const defaultDeadlines: Deadlines = Object.freeze({
  openMs: 30_000,
  closeMs: 10_000,
  callMs: 15_000,
  dialMs: 30_000,
  listMs: 30_000,
  prepareMs: 30 * 60_000,
  ensureRunningMs: 120_000,
  stopMs: 30_000,
  storeMs: 10_000,
  transactionMs: 30_000,
  publishMs: 10_000,
  secretsMs: 20_000,
});
