import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { resolveLifecycle, type ResolvedLifecycle } from '../../domain/json-spec/lifecycle.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { mergeSpec } from '../../domain/json-spec/merge-spec.js';

/** The times of a document's lifecycle, in milliseconds. */
export interface LifecycleMs {
  readonly idleTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly drainTimeoutMs: number;
  readonly startupTimeoutMs: number;
  readonly busyTimeoutMs: number;
}

/** The lifecycle that an instance has now: of the copy that is routed, or of the one that its next start makes. */
export function lifecycleOf(record: InstanceRecord): ResolvedLifecycle {
  return resolveLifecycle(currentSpec(record));
}

/** The times of the lifecycle that an instance has now. */
export function lifecycleMsOf(record: InstanceRecord): LifecycleMs {
  return lifecycleMs(currentSpec(record));
}

function currentSpec({ jsonSpec, runtime: { active, renew, pinned } }: InstanceRecord): JsonSpec {
  if (active && !renew) return active.spec;
  return pinned ? { ...mergeSpec(pinned.jsonSpec, jsonSpec), type: jsonSpec.type } : jsonSpec;
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
