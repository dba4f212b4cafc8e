import type { ReconcileResult } from '../../async/keyed-work.js';
import type { InstanceRecord, InstanceRuntime } from '../../domain/instance/instance-record.js';
import { timestamp } from '../context/event-drafts.js';
import { lifecycleMsOf, lifecycleOf } from '../context/lifecycle-ms.js';
import type { ReconcileServices } from './reconcile-services.js';

/** When on-demand instances may sleep. */
export class Sleeping {
  readonly #services: Pick<ReconcileServices, 'context' | 'links'>;

  constructor(services: Pick<ReconcileServices, 'context' | 'links'>) {
    this.#services = services;
  }

  /** Whether nobody has used an on-demand instance for its idle time. */
  may(record: InstanceRecord): boolean {
    const { active, wantedUntil } = record.runtime;
    if (lifecycleOf(record).start !== 'on-demand' || wantedUntil === null) return false;
    // Somebody waits for what is being started.
    if (isStarting(record)) return false;
    const inUse = active
      ? (this.#services.links.get(record.id, active.revision)?.callsInFlight ?? 0) > 0
      : false;
    return !inUse && Date.parse(wantedUntil) <= this.#services.context.clock.now();
  }

  /** When to look whether it may. */
  later(record: InstanceRecord): ReconcileResult {
    const { wantedUntil } = record.runtime;
    if (wantedUntil === null || lifecycleOf(record).start !== 'on-demand') return {};
    return { requeueAfterMs: Math.max(1_000, Date.parse(wantedUntil) - this.#services.context.clock.now()) };
  }

  /** What has just become ready may be used for its whole idle time, however long its start took. */
  putOff(record: InstanceRecord): Pick<InstanceRuntime, 'wantedUntil'> | undefined {
    if (lifecycleOf(record).start !== 'on-demand') return undefined;
    return { wantedUntil: timestamp(this.#services.context, lifecycleMsOf(record).idleTimeoutMs) };
  }
}

function isStarting({ status }: InstanceRecord): boolean {
  return status === 'pending' || status === 'pulling' || status === 'starting';
}
