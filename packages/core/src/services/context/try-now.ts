import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';

/** What a new wish says of the status: what waits for its next try, or would not be tried again, is tried at once. */
export function tryNow({ status, desiredState }: InstanceRecord): readonly StatusFact[] {
  return status === 'failed' && desiredState === 'running' ? [{ kind: 'run-wanted' }] : [];
}

/** What is counted afresh with a new wish. */
export const afresh = Object.freeze({ failures: 0, refusedGeneration: null });
