import type { Committed } from './committed.js';
import type { Layer } from './layer.js';

/** Where writes go. One draft at a time is made and accepted. */
export interface Commits {
  /** Begins a draft on top of everything accepted so far, whether or not it is durable yet. */
  begin(): Draft;
  /** Resolves when all that is accepted now is durable, and rejects when it was lost; `undefined` when it is already. */
  inFlight(): Promise<void> | undefined;
  /** Resolves when changes can be made durable; rejects with why not. */
  canWrite(): Promise<void>;
  /** Resolves when what was accepted is settled, and lets go of what keeps it. */
  close(): Promise<void>;
}

/** Changes on trial: dropped, or accepted as a whole. */
export interface Draft {
  readonly layer: Layer;
  /** Accepts the changes at once or throws; resolves when they are durable and readers see them. */
  commit(): Promise<void>;
}

/** Commits that last as long as the process. */
export function memoryCommits(committed: Committed, applied: (changes: Layer) => void): Commits {
  return {
    begin() {
      const layer = committed.layer.child();
      return {
        layer,
        commit: async () => {
          committed.apply(layer);
          applied(layer);
        },
      };
    },
    inFlight: () => undefined,
    canWrite: async () => undefined,
    close: async () => undefined,
  };
}
