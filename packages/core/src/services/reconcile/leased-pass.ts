import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Provider } from '../../ports/provider.js';
import { writeChange, type InstanceChange } from '../context/instance-writer.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import type { ServiceContext } from '../context/service-context.js';

/** What one pass over an instance works with. */
export interface LeasedPass {
  readonly provider: Provider;
  /** The epoch of the lease under which it writes. */
  readonly fence: number;
  readonly reconcile: ReconcileContext;
}

/** Writes what a pass found, under its lease. @throws `CONFLICT`, `LEASE_LOST` */
export function writeUnderLease(
  context: ServiceContext,
  record: InstanceRecord,
  change: InstanceChange & { readonly pass: Pick<LeasedPass, 'fence'> },
): Promise<InstanceRecord> {
  const { pass, ...rest } = change;
  return writeChange(context, record, { ...rest, origin: { fence: pass.fence } });
}
