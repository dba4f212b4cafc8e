import { Slots } from '../async/slots.js';
import type { Copy, InstanceRecord } from '../domain/instance/instance-record.js';
import { rowsOfPages } from '../domain/list-page.js';
import { lifecycleMs } from '../services/context/lifecycle-ms.js';
import { copyRef } from '../services/ownership/link-registry.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';

const atOnce = 16;

/**
 * Removes every copy that this process owns when its turn comes.
 *
 * @throws the first failure, also to read what there is, when all that was found has been tried
 */
export async function destroyCopies(
  { context, ownership, secrets }: Pick<ReconcileServices, 'context' | 'ownership' | 'secrets'>,
  signal: AbortSignal,
): Promise<void> {
  const { store, providers } = context;
  const slots = new Slots(atOnce);
  const failures: unknown[] = [];

  const destroy = async (record: InstanceRecord, { revision, spec }: Copy): Promise<void> => {
    const { type } = record.jsonSpec;
    // Now, not when the row was read: another worker may own it since.
    if (ownership.fence({ id: record.id, type, placement: record.runtime.placement }) === null) return;
    const { stopGraceMs: graceMs } = lifecycleMs(spec);
    await providers.get(type)?.destroy(copyRef(record, { revision }), { graceMs }, { signal });
  };
  const inSlot = async (record: InstanceRecord, copy: Copy): Promise<void> => {
    try {
      await slots.run(() => destroy(record, copy), signal);
    } catch (error) {
      failures.push(secrets.scrubError(record.id, error));
    }
  };

  const removals: Promise<void>[] = [];
  try {
    for await (const record of rowsOfPages((cursor) =>
      store.instances.list({ limit: 500, cursor }, { signal }),
    )) {
      const { active, candidate } = record.runtime;
      for (const copy of [active, candidate]) if (copy) removals.push(inSlot(record, copy));
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(removals);
  if (failures.length > 0) throw failures[0];
}
