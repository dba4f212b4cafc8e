import type { FairSlots } from '../../async/fair-slots.js';
import type { FleetCondition } from '../events/fleet-condition.js';
import type { LinkRegistry } from '../ownership/link-registry.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { ServiceContext } from '../context/service-context.js';
import type { HealthTracking } from '../health/health-tracking.js';
import type { Ownership } from '../context/ownership.js';

/** What the parts of a worker share. */
export interface ReconcileServices {
  readonly context: ServiceContext;
  readonly links: LinkRegistry;
  readonly secrets: SecretSource;
  readonly condition: FleetCondition;
  readonly health: HealthTracking;
  readonly ownership: Ownership;
  /** Held from the engine's create until its process runs; by placement, in turns by tenant. */
  readonly startSlots: FairSlots;
  /** Held while something is fetched; by placement, in turns by tenant. */
  readonly pullSlots: FairSlots;
}
