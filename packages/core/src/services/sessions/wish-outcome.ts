import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';

/**
 * Whether what was wished has come true: `false` while it still can by itself.
 *
 * A later wish that has the same in mind, such as a second update, takes the first one in: the wait is then for both.
 *
 * @param wish - the row as the wish was written; no delete
 * @throws what has become of the wish instead: `INSTANCE_DELETED`, `INSTANCE_STOPPED`, `CONFLICT` for a stop that was
 * taken back, `UPDATE_ROLLED_BACK`, or the failure, also where it is tried again
 */
export function hasComeTrue(wish: Pick<InstanceRecord, 'desiredState'>, record: InstanceRecord): boolean {
  if (record.runtime.deleteRequestedAt !== null)
    throw overtaken('INSTANCE_DELETED', record, 'it is being deleted');
  const isObserved = record.observedGeneration === record.generation;
  if (wish.desiredState === 'stopped') {
    if (record.desiredState !== 'stopped') throw overtaken('CONFLICT', record, 'it was started again');
    return isObserved && record.status === 'stopped';
  }
  if (record.desiredState === 'stopped') throw overtaken('INSTANCE_STOPPED', record, 'it was stopped');
  const { nextRetryAt } = record.statusDetail;
  if (record.status === 'failed' && (isObserved || nextRetryAt === null)) throw failureOf(record);
  if (record.runtime.refusedGeneration === record.generation && isServing(record)) throw rolledBack(record);
  // An on-demand instance that sleeps is ready: its first call wakes it.
  return isObserved && (record.status === 'running' || record.status === 'idle');
}

/** The error of an instance that failed, with its reason and the last lines it wrote. */
export function failureOf(record: InstanceRecord): MCPInfraError {
  const { reason, message, nextRetryAt } = record.statusDetail;
  const next = nextRetryAt === null ? '' : ` The next try is at ${nextRetryAt}.`;
  return mcpError(
    reason === '' ? 'INSTANCE_NOT_READY' : reason,
    `The instance "${record.name}" failed: ${message}${next}`,
    { details: stateOf(record), retryable: false },
  );
}

/** The error of an instance of which something else was wished meanwhile. */
export function overtaken(
  code: 'INSTANCE_DELETED' | 'INSTANCE_STOPPED' | 'CONFLICT',
  record: InstanceRecord,
  what: string,
): MCPInfraError {
  const message = `What was waited for of the instance "${record.name}" does not come true: ${what}.`;
  return mcpError(code, message, { details: stateOf(record) });
}

/** What every error of a wait carries. */
export function stateOf({ statusDetail }: InstanceRecord): Readonly<Record<string, unknown>> {
  return { statusDetail, lastLogLines: statusDetail.lastExit?.lastLogLines ?? [] };
}

function rolledBack(record: InstanceRecord): MCPInfraError {
  const { update } = record.statusDetail;
  const why = update ? `: ${update.reason}: ${update.message}` : '.';
  const lastLogLines = update?.lastExit?.lastLogLines ?? [];
  return mcpError('UPDATE_ROLLED_BACK', `The update failed and was rolled back${why}`, {
    details: { ...stateOf(record), lastLogLines },
  });
}
