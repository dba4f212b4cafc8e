import type { InstanceRecord } from '../../domain/instance/instance-record.js';

/** Probes the running instances of this worker. */
export interface HealthTracking {
  /** Begins or goes on to probe an instance's active copy; nothing once it was stopped. */
  track(record: InstanceRecord, fence: number): void;
  untrack(id: string): void;
  /** The instances that are tracked. */
  records(): Iterable<InstanceRecord>;
  /** Whether a probe of this worker has seen that an instance is unhealthy, and nothing else since. */
  confirms(id: string): boolean;
  /** Lists an instance's tools soon, since the server said that they changed. */
  toolsChanged(id: string): void;
  /** Ends all probing for good. */
  stop(): void;
}
