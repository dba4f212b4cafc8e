import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { draftEvent, instanceOrigin, instanceSubject } from '../context/event-drafts.js';
import { instanceCounters } from '../context/instance-counters.js';
import type { ServiceContext } from '../context/service-context.js';

/** Whether nothing is left of a deleted instance but its row, since nothing was ever started for it. */
export function isRemovable({ runtime }: InstanceRecord): boolean {
  const { deleteRequestedAt, placement, active, candidate } = runtime;
  return deleteRequestedAt !== null && placement === null && !active && !candidate;
}

/** Removes the row of an instance of which nothing else is left, and its secrets. Without a lease only as it was read. */
export async function removeRow(
  context: ServiceContext,
  record: InstanceRecord,
  fence: number | undefined,
): Promise<void> {
  const asker = { instanceId: record.id, tenant: record.tenant, principal: null };
  for (const scope of record.runtime.ownedSecretScopes)
    await context.secretStore?.deleteScope(scope, { context: asker });
  const removed = draftEvent(context, instanceOrigin(record), {
    type: 'MCPServerInstanceRemoved',
    data: instanceSubject(record),
  });
  await context.store.deleteInstance(record, {
    events: [removed],
    counters: instanceCounters(context, record.tenant, -1),
    fence,
  });
  context.committed();
  context.logger.info('instance removed', { instance: record.name });
}
