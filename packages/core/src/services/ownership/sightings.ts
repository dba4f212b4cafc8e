import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import { rowsOfPages } from '../../domain/list-page.js';
import type { CallOptions } from '../../ports/common.js';
import type { Ownership } from '../context/ownership.js';
import type { ServiceContext } from '../context/service-context.js';
import { isStdio } from './link-registry.js';
import type { LeaseView } from './lease-view.js';

const endedWithItsProcess =
  'It ended with the process that ran it, and is started again by the next one that owns it.';

/**
 * Tells what a row says that nobody can have seen since: a copy that ends with its process does not serve when its owner
 * has gone, though the row, in which nobody could write that, says so.
 */
export class Sightings {
  readonly #context: Pick<ServiceContext, 'providers' | 'store'>;
  readonly #ownership: Ownership;
  readonly #leases: LeaseView;

  constructor(context: Pick<ServiceContext, 'providers' | 'store'>, ownership: Ownership, leases: LeaseView) {
    this.#context = context;
    this.#ownership = ownership;
    this.#leases = leases;
  }

  /** The instance as it is: `pending` where it ended with its owner and the next one has not looked yet. */
  async asSeen(record: InstanceRecord): Promise<InstanceRecord> {
    if (!isServing(record) || (await this.#isSeen(record))) return record;
    const { statusDetail } = record;
    const health = { ...statusDetail.health, state: 'unknown', message: '' } as const;
    const detail = {
      ...statusDetail,
      reason: '',
      message: endedWithItsProcess,
      endpoint: null,
      health,
    } as const;
    return { ...record, status: 'pending', statusDetail: detail };
  }

  /** Whether somebody owns what is reached through its owner alone. */
  async isReachable(record: InstanceRecord): Promise<boolean> {
    const { id, jsonSpec, runtime } = record;
    if (!isServing(record) || !isStdio(runtime.active?.spec ?? jsonSpec)) return true;
    if (this.#ownership.fence({ id, type: jsonSpec.type, placement: runtime.placement }) !== null)
      return true;
    return (await this.#leases.ofOther(record)) !== null;
  }

  /** How many instances there are whose rows say that they serve and that do not, by what their rows say. */
  async unseen(options: CallOptions = {}): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    const { instances } = this.#context.store;
    for (const [type, provider] of this.#context.providers) {
      if (provider.copiesEndWithProcess !== true) continue;
      const query = { type, status: ['running', 'unhealthy'], limit: 500 } as const;
      for await (const record of rowsOfPages((cursor) => instances.list({ ...query, cursor }, options))) {
        if (!(await this.#isSeen(record))) counts.set(record.status, (counts.get(record.status) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Whether an owner that still owns it wrote the row last. */
  async #isSeen(record: InstanceRecord): Promise<boolean> {
    const { id, jsonSpec, runtime } = record;
    const { type } = jsonSpec;
    if (this.#context.providers.get(type)?.copiesEndWithProcess !== true) return true;
    const mine = this.#ownership.fence({ id, type, placement: runtime.placement });
    const epoch = mine ?? (await this.#leases.of(record))?.epoch;
    return epoch === runtime.leaseEpoch;
  }
}
