import { resolveLifecycle } from '../../domain/json-spec/lifecycle.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';

/** The times of a document's lifecycle, in milliseconds. */
export interface LifecycleMs {
  readonly idleTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly drainTimeoutMs: number;
  readonly startupTimeoutMs: number;
  readonly busyTimeoutMs: number;
}

/** Reads the times of a document's lifecycle. */
export function lifecycleMs(spec: JsonSpec): LifecycleMs {
  const { idleTimeout, stopGrace, drainTimeout, startupTimeout, busyTimeout } = resolveLifecycle(spec);
  return {
    idleTimeoutMs: idleTimeout * 1_000,
    stopGraceMs: stopGrace * 1_000,
    drainTimeoutMs: drainTimeout * 1_000,
    startupTimeoutMs: startupTimeout * 1_000,
    busyTimeoutMs: busyTimeout * 1_000,
  };
}
