import type { SingleFlight } from '../../async/single-flight.js';
import type { Copy, HandshakeRecord, InstanceRecord } from '../../domain/instance/instance-record.js';
import { resolveHealthCheck } from '../../domain/json-spec/health-check.js';
import type { ListingFloor } from './listing-floor.js';
import type { Seen } from './verdict.js';

/** A copy that is probed: what its row says, and apart from it what its probes saw. */
export interface HealthTarget {
  readonly id: string;
  readonly fence: number;
  readonly revision: number;
  /** Where it lives, as slots and the watch over engines know it. */
  readonly placement: string;
  readonly ending: AbortController;
  readonly floor: ListingFloor;
  /** Writes what the row does not say yet. */
  readonly writes: SingleFlight;
  /** The row as it was last read or written. */
  record: InstanceRecord;
  /** Whether the row may be another by now: it is read before it is compared. */
  unsure: boolean;
  /** Writes that failed in a row. */
  writeFailures: number;
  /** What the last probe saw; `null` before the first, and when that is too old to go by. */
  seen: Seen | null;
  /** Probes that failed in a row. */
  failures: number;
  /** What the row says of the server being unhealthy has been seen by a probe of ours, and the reconciler was told. */
  confirmed: boolean;
  /** A handshake that is not in the row yet. */
  handshake: HandshakeRecord | null;
  /** When the next probe is planned, on the monotonic scale. */
  dueMs: number;
  probing: boolean;
}

/** The copy that is probed; `null` where the row has come to speak of another. */
export function copyOf({ record, revision }: HealthTarget): Copy | null {
  const { active } = record.runtime;
  return active?.revision === revision ? active : null;
}

/** How long after one probe the next is made: longer and longer where a server that cannot be restarted stays away. */
export function waitMs(target: HealthTarget): number {
  const copy = copyOf(target);
  if (!copy) return Infinity;
  const { type, interval, retries } = resolveHealthCheck(copy.spec);
  if (type === 'none') return Infinity;
  const isFailing = target.record.status === 'unhealthy';
  const backOff = isFailing ? Math.min(4, Math.max(1, target.failures - retries + 1)) : 1;
  return Math.max(250, interval * 1_000 * backOff);
}

export function intervalMs({ runtime }: InstanceRecord): number {
  return runtime.active ? resolveHealthCheck(runtime.active.spec).interval * 1_000 : 0;
}
