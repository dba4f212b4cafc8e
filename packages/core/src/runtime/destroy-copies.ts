import { Slots } from '../async/slots.js';
import { rowsOfPages } from '../domain/list-page.js';
import { lifecycleMs } from '../services/context/lifecycle-ms.js';
import { copyRef } from '../services/ownership/link-registry.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';

const atOnce = 16;

/** Removes every copy that this process owns. @throws the first failure, when all have been tried */
export async function destroyCopies(
  { context, ownership }: Pick<ReconcileServices, 'context' | 'ownership'>,
  signal: AbortSignal,
): Promise<void> {
  const { store, providers } = context;
  const slots = new Slots(atOnce);
  const removals: Promise<void>[] = [];
  const records = rowsOfPages((cursor) => store.instances.list({ limit: 500, cursor }, { signal }));
  for await (const record of records) {
    const { type } = record.jsonSpec;
    const { active, candidate, placement } = record.runtime;
    if (ownership.fence({ id: record.id, type, placement }) === null) continue;
    for (const copy of [active, candidate]) {
      if (!copy) continue;
      const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
      removals.push(
        slots.run(
          async () => providers.get(type)?.destroy(copyRef(record, copy), { graceMs }, { signal }),
          signal,
        ),
      );
    }
  }
  const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
