import type { InstanceRecord } from '../domain/instance/instance-record.js';
import type { FleetCondition } from './fleet-condition.js';
import type { LinkRegistry } from './link-registry.js';
import type { SecretSource } from './secret-source.js';
import type { ServiceContext } from './service-context.js';

/** What the parts of a worker share. */
export interface WorkerParts {
  readonly context: ServiceContext;
  readonly links: LinkRegistry;
  readonly secrets: SecretSource;
  readonly condition: FleetCondition;
  readonly health: HealthTracking;
  readonly ownership: Ownership;
  /** Held from the engine's create until its process runs. */
  readonly startSlots: SlotLine;
  /** Held while something is fetched. */
  readonly pullSlots: SlotLine;
}

/** Probes the running instances of this worker. */
export interface HealthTracking {
  /** Begins or goes on to probe an instance's active copy. */
  track(record: InstanceRecord, fence: number): void;
  untrack(id: string): void;
  /** The instances that are tracked. */
  records(): Iterable<InstanceRecord>;
  /** Lists an instance's tools soon. */
  toolsChanged(id: string): void;
  stop(): void;
}

/** A bounded number of things at once; the others wait in line. */
export interface SlotLine {
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What decides who owns an instance. */
export interface OwnedKey {
  readonly id: string;
  readonly type: string;
  readonly placement: string | null;
}

/** Which instances this worker may act on. */
export interface Ownership {
  /**
   * The epoch under which this worker may change an instance now, or `null` when another worker owns it, its copies
   * live elsewhere, or the lease may have run out.
   */
  fence(record: OwnedKey): number | null;
  /** Where the copies of a type live for this worker; `null` while its backend is away. */
  placement(type: string): string | null;
  /** Whether this worker may own an instance, as far as its id tells. */
  concerns(id: string): boolean;
}

/** Leases for what one process at a time may do, besides owning instances. */
export interface Claims {
  /** Asks for a lease until it is given back; resolves when it has been asked for, not when it is held. */
  claim(name: string): Promise<void>;
  holds(name: string): boolean;
  unclaim(name: string): Promise<void>;
}
