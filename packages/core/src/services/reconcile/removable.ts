import type { InstanceRecord } from '../../domain/instance/instance-record.js';

/** Whether nothing is left of a deleted instance but its row, since nothing was ever started for it. */
export function isRemovable({ runtime }: InstanceRecord): boolean {
  const { deleteRequestedAt, placement, active, candidate } = runtime;
  return deleteRequestedAt !== null && placement === null && !active && !candidate;
}
