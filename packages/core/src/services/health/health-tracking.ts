import type { InstanceRecord } from '../../domain/instance/instance-record.js';

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
