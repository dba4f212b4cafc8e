/** What every asynchronous method of a port takes last. */
export interface CallOptions {
  /** Ends the call; the method then rejects and leaves nothing half-made that a repetition could not mend. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Says whether something goes on that a plugin does by itself, such as hearing the events of its engine, so that
 * `infra.health()` shows it while it does not. May be said as often as it is done.
 *
 * @param part - a name within the plugin, such as `events`
 * @param message - why it does not go on, and what comes of that
 */
export type PartReport = (part: string, ok: boolean, message?: string) => void;

/** Ends a registration; calling it again does nothing. */
export type Unsubscribe = () => void;
