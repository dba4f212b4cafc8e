import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { memberLease } from '../../domain/fleet/lease-names.js';
import type { Lease } from '../../ports/store.js';
import { changeInstance } from '../context/instance-writer.js';
import type { ReconcileServices } from './reconcile-services.js';

/**
 * Says of an instance that nobody reaches the place of its copies, where that is so: a provider's backend is away and no
 * other worker holds a lease there. Never a second copy elsewhere.
 */
export async function noteUnreachable(parts: ReconcileServices, record: InstanceRecord): Promise<void> {
  const { context, ownership } = parts;
  const { type } = record.jsonSpec;
  const known = record.statusDetail.reason === 'PLACEMENT_UNREACHABLE';
  if (known || !context.providers.has(type) || ownership.placement(type) !== null) return;
  if (isReached(await context.store.leases.list(), record.runtime.placement)) return;
  const where = record.runtime.placement === null ? `the provider "${type}"` : record.runtime.placement;
  const cause = parts.condition.parts().find(({ part }) => part === `provider:${type}`);
  const why = cause ? ` (${cause.message})` : '';
  const message = `No worker reaches ${where}${why}; it is tried again until one does.`;
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

/** Whether some worker is a member of a placement, or, where none was chosen yet, of any. */
function isReached(leases: readonly Lease[], placement: string | null): boolean {
  return leases.some(({ name, holderId }) =>
    placement === null ? name.endsWith(memberLease('', holderId)) : name === memberLease(placement, holderId),
  );
}
