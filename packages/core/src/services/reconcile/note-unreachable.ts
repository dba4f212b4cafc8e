import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { memberLease } from '../../domain/fleet/lease-names.js';
import type { Lease } from '../../ports/store.js';
import { changeInstance } from '../context/instance-writer.js';
import type { ReconcileServices } from './reconcile-services.js';

/** So long, in milliseconds, may another worker take to begin with an instance of a type that only it may know. */
const takenUpWithinMs = 60_000;

/**
 * Says of an instance that nobody reaches the place of its copies, where that is so: a provider's backend is away or no
 * worker has the provider, and no other worker holds a lease there. Never a second copy elsewhere.
 *
 * @param leases - those in force now; read where they are not given
 */
export async function noteUnreachable(
  services: ReconcileServices,
  record: InstanceRecord,
  leases?: readonly Lease[],
): Promise<void> {
  const { context, ownership, condition } = services;
  const { type } = record.jsonSpec;
  const known = record.statusDetail.reason === 'PLACEMENT_UNREACHABLE';
  if (known || isSettledAtRest(record) || ownership.placement(type) !== null) return;
  if (mayBeReached(services, record, leases ?? (await context.store.leases.list()))) return;
  const at = record.runtime.placement;
  const where = at ?? `the provider "${type}"`;
  const cause = condition.parts().find(({ part }) => part === `provider:${type}`);
  const why = cause ? ` (${cause.message})` : '';
  const message = context.providers.has(type)
    ? `No worker reaches ${where}${why}; it is tried again until one does.`
    : `No worker has a provider for the type "${type}"${at === null ? '' : ` at ${at}`}; start one that has.`;
  await changeInstance(context, record.id, {
    decide: (row) => ({
      facts: [
        isServing(row)
          ? { kind: 'placement-lost', message }
          : { kind: 'noted', reason: 'PLACEMENT_UNREACHABLE', message },
      ],
    }),
  });
}

/** Whether nothing is to be done for it, so that it does not matter who reaches it. */
function isSettledAtRest({ status, desiredState }: InstanceRecord): boolean {
  return status === 'stopped' && desiredState === 'stopped';
}

/** Whether some worker is a member of its placement or, where none was chosen yet, may run its type. */
function mayBeReached(
  { context }: ReconcileServices,
  { jsonSpec: { type }, runtime, updatedAt }: InstanceRecord,
  leases: readonly Lease[],
): boolean {
  const { placement } = runtime;
  if (placement !== null)
    return leases.some(({ name, holderId }) => name === memberLease(placement, holderId));
  const isAny = leases.some(({ name, holderId }) => name.endsWith(memberLease('', holderId)));
  // Which types other workers run is not known, only that nobody begins with it.
  const isFresh = context.clock.now() - Date.parse(updatedAt) < takenUpWithinMs;
  return isAny && (context.providers.has(type) || isFresh);
}
