/*
 * Which process owns which instance: leases and their shares, and the links to the copies that they cover.
 * Whoever acts on a copy asks it for a fence, whoever speaks to one for a link.
 * It never starts or stops a copy.
 */
import { withDeadline } from '../../async/deadline.js';
import { Recurring } from '../../async/recurring.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import { fairShare } from '../../domain/fleet/fair-share.js';
import { memberLease, relayLease, shardLease } from '../../domain/fleet/lease-names.js';
import { shardOf } from '../../domain/shard.js';
import type { Lease, LeaseHolder } from '../../ports/store.js';
import type { FleetCondition } from '../events/fleet-condition.js';
import type { ServiceContext } from '../context/service-context.js';
import type { Claims, OwnedKey, Ownership } from '../context/ownership.js';
import { BoundShards } from './bound-shards.js';
import { HeldLeases } from './held-leases.js';

/** The times of leases, in milliseconds. A renewal that hangs leaves time for another before what is held is not trusted. */
const leaseTimes = Object.freeze({
  ttlMs: 15_000,
  renewEveryMs: 5_000,
  /** While the store cannot write. */
  doubtfulMs: 1_000,
  renewWithinMs: 3_000,
  retryMs: 500,
  marginMs: 5_000,
  soonestMs: 50,
});

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperOptions {
  readonly holderId: string;
  readonly worker: boolean;
  /** Where other processes reach this one, told with each lease; absent where it does not listen. */
  readonly address?: (() => string | undefined) | undefined;
  readonly condition: FleetCondition;
  /** Where the copies of each type live for this process, as far as that is known. */
  readonly placements: () => ReadonlyMap<string, string>;
  /** Told when leases were lost or gained, so that work is stopped or looked for. */
  readonly onChange: () => void;
  /** Lets calls end on what is about to be given to another worker, and closes the ways to it. */
  readonly letGo: () => Promise<void>;
}

/**
 * Holds the leases of this process: for the relay, for its share of each placement, and for what it claims.
 *
 * A lease is trusted until its time counted from *sending* the renewal, less a margin, on the monotonic clock: a
 * process that was frozen finds its leases expired before it acts. Renewing is one loop, taking and giving another, and
 * neither asks anything but the leases of the store: whatever hangs besides costs no lease.
 */
export class LeaseKeeper implements Ownership, Claims {
  readonly #context: ServiceContext;
  readonly #options: LeaseKeeperOptions;
  readonly #held = new HeldLeases();
  /** Still held in the store, but nothing is begun under them any more. */
  readonly #leaving = new Set<string>();
  readonly #claimed = new Set<string>();
  readonly #bound: BoundShards;
  /** What goes on from a start to its end. */
  #work: { readonly renewing: Recurring; readonly sharing: Recurring } | undefined;
  /** Why the last renewal failed, and the last taking. */
  #renewalFails: MCPInfraError | undefined;
  #takingFails: MCPInfraError | undefined;
  #cancelExpiry: (() => void) | undefined;
  #before = '';
  #stopping = false;

  constructor(context: ServiceContext, options: LeaseKeeperOptions) {
    this.#context = context;
    this.#options = options;
    this.#bound = new BoundShards(context, options.placements);
    options.condition.onEvidence('store', () => void this.#work?.renewing.now());
  }

  fence({ id, type, placement }: OwnedKey): number | null {
    const mine = this.placement(type);
    if (mine === null || (placement !== null && placement !== mine)) return null;
    return this.#epoch(shardLease(mine, shardOf(id)));
  }

  placement(type: string): string | null {
    return this.#placements().get(type) ?? null;
  }

  away(): MCPInfraError | undefined {
    return this.#renewalFails ?? this.#takingFails;
  }

  concerns(id: string): boolean {
    const shard = shardOf(id);
    return [...this.#placements().values()].some((at) => this.#epoch(shardLease(at, shard)) !== null);
  }

  get holderId(): string {
    return this.#options.holderId;
  }

  /** Whether this process publishes events now. */
  isRelay(): boolean {
    return this.holds(relayLease);
  }

  holds(name: string): boolean {
    return this.#epoch(name) !== null;
  }

  async claim(name: string): Promise<void> {
    this.#claimed.add(name);
    await this.look();
  }

  async unclaim(name: string): Promise<void> {
    this.#claimed.delete(name);
    await this.#work?.sharing.settled();
    if (this.#held.get(name)) await this.#release([name]);
  }

  /** Begins to take leases and to renew them; may be called again after `stop`. */
  async start(): Promise<void> {
    this.#stopping = false;
    this.#leaving.clear();
    this.#work = { renewing: this.#renewingLoop(), sharing: this.#sharingLoop() };
    await Promise.all([this.#work.renewing.now(), this.look()]);
  }

  /**
   * Takes what has become free and gives what is too much, for example when another process gave leases back; nothing
   * unless it was started.
   */
  async look(): Promise<void> {
    await this.#work?.sharing.now();
  }

  /** Leases changed in the store: looks at all, those it holds first. */
  async heard(): Promise<void> {
    await Promise.all([this.#work?.renewing.now(), this.look()]);
  }

  /**
   * Gives leases back, so that others need not wait for them to run out; no new ones are taken from now on. Those held are
   * renewed until all are given back.
   *
   * @param which - all where it is left out
   */
  async giveBack(which: (name: string) => boolean = () => true): Promise<void> {
    this.#stopping = true;
    await this.#work?.sharing.stop();
    const names = this.#held.names().filter(which);
    for (const name of names) this.#leaving.add(name);
    this.#options.onChange();
    await this.#release(names);
  }

  /** Ends the renewing. What has not been given back runs out. */
  stop(): void {
    this.#cancelExpiry?.();
    void this.#work?.sharing.stop();
    void this.#work?.renewing.stop();
    this.#work = undefined;
  }

  #renewingLoop(): Recurring {
    return new Recurring({
      clock: this.#context.clock,
      work: () => this.#renew(),
      retryMs: leaseTimes.retryMs,
      failed: (error) => {
        const why = normaliseError(error, 'STORE_FAILED', 'Renewing leases failed');
        this.#renewalFails = why;
        this.#options.condition.degraded('store', why);
      },
    });
  }

  #sharingLoop(): Recurring {
    return new Recurring({
      clock: this.#context.clock,
      work: () => this.#share(),
      retryMs: leaseTimes.renewEveryMs,
      failed: (error) => {
        this.#takingFails = normaliseError(error, 'STORE_FAILED', 'Taking leases failed');
        this.#options.condition.report('leases', false, messageOf(error));
      },
    });
  }

  #placements(): ReadonlyMap<string, string> {
    return this.#options.worker ? this.#options.placements() : new Map();
  }

  #epoch(name: string): number | null {
    const lease = this.#held.get(name);
    if (!lease || this.#leaving.has(name)) return null;
    return this.#context.clock.monotonicMs() < lease.untilMs ? lease.epoch : null;
  }

  /** @returns when to do so again */
  async #renew(): Promise<number> {
    const answer = this.#asking();
    const renewed = await this.#inTime((signal) =>
      this.#context.store.leases.renew(this.#holder(), { signal }),
    );
    this.#held.renewed(renewed, answer);
    this.#changed();
    // What ran out meanwhile is not renewed: it is taken anew.
    if (this.#renewalFails) void this.look();
    this.#renewalFails = undefined;
    return (await this.#canWrite()) ? leaseTimes.renewEveryMs : leaseTimes.doubtfulMs;
  }

  /** Looks whether more than leases can be written. That they cannot costs none of the leases. */
  async #canWrite(): Promise<boolean> {
    const { condition } = this.#options;
    const { store } = this.#context;
    try {
      await this.#inTime(async (signal) => store.canWrite?.({ signal }));
      condition.recovered('store');
      return true;
    } catch (error) {
      condition.degraded('store', normaliseError(error, 'STORE_FAILED', 'The store cannot write'));
      return false;
    }
  }

  /** @returns when to do so again */
  async #share(): Promise<number> {
    const { leases } = this.#context.store;
    const seen = await this.#inTime((signal) => leases.list({ signal }));
    const { take, give } = this.#plan(seen);
    if (take.length > 0) {
      const answer = this.#asking();
      this.#held.taken(
        await this.#inTime((signal) => leases.acquire(take, this.#holder(), { signal })),
        answer,
      );
      this.#changed();
    }
    if (give.length > 0) void this.#giveAway(give);
    if (this.#hasOthers(seen)) void this.#bound.refresh();
    this.#takingFails = undefined;
    this.#options.condition.report('leases', true);
    return Math.min(leaseTimes.renewEveryMs, this.#untilNextEnds(seen));
  }

  /** What to take that nobody has, and what to give back. */
  #plan(seen: readonly Lease[]): { readonly take: readonly string[]; readonly give: readonly string[] } {
    const me = this.#options.holderId;
    const taken = new Set(seen.map(({ name }) => name));
    const placements = [...new Set(this.#placements().values())];
    const single = [relayLease, ...this.#claimed, ...placements.map((at) => memberLease(at, me))];
    const shares = placements.map((at) => {
      // What is leaving counts as gone, or it would be taken for too much a second time.
      const held = seen.map((lease) => (this.#leaving.has(lease.name) ? { ...lease, holderId: '' } : lease));
      return fairShare(held, at, { me, mayGive: (name) => this.#bound.mayGive(at, name) });
    });
    return {
      take: [...single.filter((name) => !taken.has(name)), ...shares.flatMap(({ take }) => take)],
      give: shares.flatMap(({ give }) => give),
    };
  }

  /** Whether other workers reach a placement of this one. */
  #hasOthers(seen: readonly Lease[]): boolean {
    const placements = new Set(this.#placements().values());
    return seen.some(
      ({ name, holderId }) =>
        holderId !== this.#options.holderId &&
        [...placements].some((at) => name === memberLease(at, holderId)),
    );
  }

  /** Ends the work under leases before another worker may begin it. */
  async #giveAway(names: readonly string[]): Promise<void> {
    for (const name of names) this.#leaving.add(name);
    this.#options.onChange();
    try {
      await this.#options.letGo();
      // Something may have been started under them in the moment before.
      await this.#release(await this.#bound.givable(names));
    } finally {
      for (const name of names) this.#leaving.delete(name);
      this.#options.onChange();
    }
  }

  async #release(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    this.#held.release(names);
    this.#changed();
    try {
      await this.#inTime((signal) =>
        this.#context.store.leases.release(names, this.#options.holderId, { signal }),
      );
    } catch (error) {
      this.#context.logger.debug('leases were not given back', { error: messageOf(error) });
    }
  }

  /** When the first lease of another process ends, so that what a dead one held is taken over at once. */
  #untilNextEnds(seen: readonly Lease[]): number {
    const now = this.#context.clock.now();
    const ends = seen
      .filter(({ holderId }) => holderId !== this.#options.holderId)
      .map(({ expiresAt }) => Date.parse(expiresAt) - now);
    return Math.max(leaseTimes.soonestMs, Math.min(...ends) + 1);
  }

  /** Tells of leases that were lost or gained, and of those that run out before a renewal succeeds, at that moment. */
  #changed(): void {
    this.#cancelExpiry?.();
    if (!this.#work) return;
    const { untilMs } = this.#held;
    if (Number.isFinite(untilMs)) {
      const inMs = untilMs - this.#context.clock.monotonicMs();
      this.#cancelExpiry = this.#context.clock.schedule(inMs, () => {
        this.#held.clear();
        this.#changed();
      });
    }
    const now = this.#held.names().join('\n');
    if (now === this.#before) return;
    this.#before = now;
    if (!this.#stopping) this.#options.onChange();
  }

  #asking(): { readonly request: number; readonly untilMs: number } {
    const { ttlMs, marginMs } = leaseTimes;
    return {
      request: this.#held.request(),
      untilMs: this.#context.clock.monotonicMs() + ttlMs - marginMs,
    };
  }

  #holder(): LeaseHolder {
    const { holderId: id, address } = this.#options;
    return { id, ttlMs: leaseTimes.ttlMs, address: address?.() };
  }

  #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeoutMs = leaseTimes.renewWithinMs;
    return withDeadline(work, {
      clock: this.#context.clock,
      timeoutMs,
      expired: () =>
        mcpError('STORE_FAILED', `The store did not answer about leases within ${timeoutMs} ms.`, {
          retryable: true,
        }),
    });
  }
}
