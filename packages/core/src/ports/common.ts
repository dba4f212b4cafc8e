/** What every asynchronous method of a port takes last. */
export interface CallOptions {
  /** Ends the call; the method then rejects and leaves nothing half-made that a repetition could not mend. */
  readonly signal?: AbortSignal | undefined;
}

/** Ends a registration; calling it again does nothing. */
export type Unsubscribe = () => void;
