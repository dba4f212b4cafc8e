import { shardLease } from '../../domain/fleet/lease-names.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { shardOf } from '../../domain/shard.js';
import type { Lease } from '../../ports/store.js';
import type { ServiceContext } from '../context/service-context.js';

/** Owners change seldom, and one that has changed refuses. */
const leasesAreFreshMs = 1_000;

/** What this process has read of the leases of all. */
export class LeaseView {
  readonly #context: Pick<ServiceContext, 'clock' | 'store'>;
  readonly #holderId: string;
  #leases: { readonly atMs: number; readonly read: Promise<readonly Lease[]> } | undefined;
  /** By holder: when its leases ended when they were first read here. */
  readonly #firstSeen = new Map<string, string>();

  /** @param holderId - by which this process holds its own */
  constructor(context: Pick<ServiceContext, 'clock' | 'store'>, holderId = '') {
    this.#context = context;
    this.#holderId = holderId;
  }

  /** The lease in force by which another process owns an instance; one of this process that it no longer trusts is none. */
  async ofOther(record: InstanceRecord): Promise<Lease | null> {
    const lease = await this.of(record);
    return lease?.holderId === this.#holderId ? null : lease;
  }

  /** The lease of an instance in force; `null` where nobody has it. */
  async of({ id, runtime: { placement } }: InstanceRecord): Promise<Lease | null> {
    const name = placement === null ? null : shardLease(placement, shardOf(id));
    const found = (await this.#read()).find((lease) => lease.name === name);
    return found && Date.parse(found.expiresAt) > this.#context.clock.now() ? found : null;
  }

  /**
   * Whether the holder of a lease has been seen to renew. One that was killed goes on holding its leases until they run
   * out.
   */
  renews({ holderId, expiresAt }: Lease): boolean {
    const first = this.#firstSeen.get(holderId);
    return first !== undefined && first < expiresAt;
  }

  /** Has them read anew by the next who asks. */
  forget(): void {
    this.#leases = undefined;
  }

  async #read(): Promise<readonly Lease[]> {
    const atMs = this.#context.clock.monotonicMs();
    if (this.#leases === undefined || atMs - this.#leases.atMs > leasesAreFreshMs) {
      this.#leases = { atMs, read: this.#note(this.#context.store.leases.list()) };
    }
    return this.#leases.read;
  }

  async #note(reading: Promise<readonly Lease[]>): Promise<readonly Lease[]> {
    const leases = await reading;
    const holders = new Set(leases.map(({ holderId }) => holderId));
    for (const holder of this.#firstSeen.keys()) if (!holders.has(holder)) this.#firstSeen.delete(holder);
    for (const { holderId, expiresAt } of leases) {
      if (!this.#firstSeen.has(holderId)) this.#firstSeen.set(holderId, expiresAt);
    }
    return leases;
  }
}
