import type { Event } from '@mcpinfra/core/plugin';

/** One way for events from here to a handler: ours, or the bare one. */
interface Route {
  /** Resolves when Redis has accepted them. */
  publish(events: readonly Event[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a way; without a handler nobody reads. */
export type OpenRoute = (url: string, handler?: (event: Event) => void) => Promise<Route>;
