import { defaults } from '../defaults.js';
import type { JsonSpec } from './json-spec.js';

/** When a copy runs, with nothing left open; times in seconds. */
export interface ResolvedLifecycle {
  readonly start: 'eager' | 'on-demand';
  readonly idleTimeout: number;
  readonly stopGrace: number;
  readonly drainTimeout: number;
  /** `null` is unlimited. */
  readonly maxRestarts: number | null;
  readonly startupTimeout: number;
  readonly busyTimeout: number;
}

/** Fills the lifecycle of a document with the defaults. */
export function resolveLifecycle(spec: JsonSpec): ResolvedLifecycle {
  const lifecycle = spec.lifecycle ?? {};
  return {
    start: lifecycle.start ?? 'eager',
    idleTimeout: lifecycle.idle_timeout ?? defaults.idleTimeout,
    stopGrace: lifecycle.stop_grace ?? defaults.stopGrace,
    drainTimeout: lifecycle.drain_timeout ?? defaults.drainTimeout,
    maxRestarts: lifecycle.max_restarts ?? null,
    startupTimeout: lifecycle.startup_timeout ?? defaults.startupTimeout,
    busyTimeout: lifecycle.busy_timeout ?? defaults.busyTimeout,
  };
}
