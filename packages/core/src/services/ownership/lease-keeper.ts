/*
 * Which process owns which instance: leases and their shares, and the links to the copies that they cover.
 * Whoever acts on a copy asks it for a fence, whoever speaks to one for a link.
 * It never starts or stops a copy.
 */
import { Recurring } from '../../async/recurring.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import { fairShare } from '../../domain/fleet/fair-share.js';
import { memberLease, relayLease, shardLease } from '../../domain/fleet/lease-names.js';
import { shardOf } from '../../domain/shard.js';
import type { Provider } from '../../ports/provider.js';
import type { Lease, LeaseHolder } from '../../ports/store.js';
import type { FleetCondition } from '../events/fleet-condition.js';
import type { ServiceContext } from '../context/service-context.js';
import type { Claims, OwnedKey, Ownership } from '../context/ownership.js';

/** The times of leases, in milliseconds. */
const leaseTimes = Object.freeze({ ttlMs: 15_000, renewEveryMs: 5_000, marginMs: 5_000, soonestMs: 50 });

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperOptions {
  readonly holderId: string;
  readonly worker: boolean;
  /** Where other processes reach this one, told with each lease; absent where it does not listen. */
  readonly address?: (() => string | undefined) | undefined;
  readonly condition: FleetCondition;
  /** Opens a provider where that has not been done, and asks where its copies live. */
  readonly reach: (provider: Provider) => Promise<string>;
  /** Sets this process's clock by the store's. */
  readonly alignClock: () => Promise<void>;
  /** Told when leases were lost or gained, so that work is stopped or looked for. */
  readonly onChange: () => void;
  /** Lets calls end on what is about to be given to another worker, and closes the ways to it. */
  readonly letGo: () => Promise<void>;
}

/**
 * Holds the leases of this process: for the relay, for its share of each placement, and for what it claims.
 *
 * A lease is trusted until its time counted from *sending* the renewal, less a margin, on the monotonic clock: a
 * process that was frozen finds its leases expired before it acts.
 */
export class LeaseKeeper implements Ownership, Claims {
  readonly #context: ServiceContext;
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, { readonly epoch: number; readonly untilMs: number }>();
  /** Still held in the store, but nothing is begun under them any more. */
  readonly #leaving = new Set<string>();
  readonly #claimed = new Set<string>();
  readonly #placements = new Map<string, string>();
  readonly #renewing: Recurring;
  #cancelExpiry: (() => void) | undefined;
  #stopped = false;

  constructor(context: ServiceContext, options: LeaseKeeperOptions) {
    this.#context = context;
    this.#options = options;
    this.#renewing = new Recurring({
      clock: context.clock,
      work: () => this.#renew(),
      retryMs: leaseTimes.renewEveryMs,
      failed: (error) => {
        context.logger.warn('renewing leases failed', { error: messageOf(error) });
      },
    });
  }

  fence({ id, type, placement }: OwnedKey): number | null {
    const mine = this.#placements.get(type);
    if (mine === undefined || (placement !== null && placement !== mine)) return null;
    return this.#epoch(shardLease(mine, shardOf(id)));
  }

  placement(type: string): string | null {
    return this.#placements.get(type) ?? null;
  }

  concerns(id: string): boolean {
    const shard = shardOf(id);
    return [...this.#placements.values()].some((at) => this.#epoch(shardLease(at, shard)) !== null);
  }

  /** Whether this process numbers and publishes events now. */
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
    await this.#renewing.settled();
    if (this.#held.has(name)) await this.#release([name]);
  }

  async start(): Promise<void> {
    await this.look();
  }

  /** Renews now and takes what has become free, for example when another process gave leases back. */
  async look(): Promise<void> {
    await this.#renewing.now();
  }

  /** Gives everything back, so that others need not wait for the leases to run out. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelExpiry?.();
    await this.#renewing.stop();
    await this.#release([...this.#held.keys()]);
  }

  #epoch(name: string): number | null {
    const lease = this.#held.get(name);
    if (!lease || this.#leaving.has(name)) return null;
    return this.#context.clock.monotonicMs() < lease.untilMs ? lease.epoch : null;
  }

  /** @returns when to do so again */
  async #renew(): Promise<number> {
    const before = this.#names();
    const { leases } = this.#context.store;
    const holder = this.#holder();
    let nextInMs: number = leaseTimes.renewEveryMs;
    try {
      const sentMs = this.#context.clock.monotonicMs();
      const [renewed] = await Promise.all([
        leases.renew(holder),
        this.#findPlacements(),
        this.#options.alignClock(),
      ]);
      this.#held.clear();
      this.#keep(renewed, sentMs);
      const seen = await leases.list();
      const { take, give } = this.#plan(seen, await this.#bound(seen));
      if (take.length > 0) {
        const askedMs = this.#context.clock.monotonicMs();
        this.#keep(await leases.acquire(take, holder), askedMs);
      }
      if (give.length > 0) void this.#giveBack(give);
      nextInMs = Math.min(nextInMs, this.#untilNextEnds(seen, holder.id));
      this.#options.condition.recovered('store');
    } catch (error) {
      this.#options.condition.degraded(
        'store',
        normaliseError(error, 'STORE_FAILED', 'Renewing leases failed'),
      );
    }
    this.#watchExpiry();
    if (this.#names() !== before) this.#options.onChange();
    return nextInMs;
  }

  /** What to take that nobody has, and what to give back. */
  #plan(
    seen: readonly Lease[],
    bound: ReadonlySet<string>,
  ): { readonly take: readonly string[]; readonly give: readonly string[] } {
    const me = this.#options.holderId;
    const taken = new Set(seen.map(({ name }) => name));
    const placements = [...new Set(this.#placements.values())];
    const single = [relayLease, ...this.#claimed, ...placements.map((at) => memberLease(at, me))];
    const shares = placements.map((at) => {
      // What is leaving counts as gone, or it would be taken for too much a second time.
      const held = seen.map((lease) => (this.#leaving.has(lease.name) ? { ...lease, holderId: '' } : lease));
      return fairShare(held, at, { me, mayGive: (name) => !bound.has(name) });
    });
    return {
      take: [...single.filter((name) => !taken.has(name)), ...shares.flatMap(({ take }) => take)],
      give: shares.flatMap(({ give }) => give),
    };
  }

  /** The leases that stay while this process lives, since what runs under them would end with another's taking over. */
  async #bound(seen: readonly Lease[]): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const [type, provider] of this.#context.providers) {
      const at = this.#placements.get(type);
      if (provider.copiesEndWithProcess !== true || at === undefined) continue;
      const isOther = ({ name, holderId }: Lease): boolean =>
        holderId !== this.#options.holderId && name === memberLease(at, holderId);
      if (!seen.some(isOther)) continue;
      for (const { copy } of await provider.list()) names.add(shardLease(at, shardOf(copy.instanceId)));
    }
    return names;
  }

  /** Ends the work under leases before another worker may begin it. */
  async #giveBack(names: readonly string[]): Promise<void> {
    for (const name of names) this.#leaving.add(name);
    this.#options.onChange();
    await this.#options.letGo();
    await this.#release(names);
    for (const name of names) this.#leaving.delete(name);
  }

  async #release(names: readonly string[]): Promise<void> {
    for (const name of names) this.#held.delete(name);
    await this.#context.store.leases.release(names, this.#options.holderId).catch((error: unknown) => {
      this.#context.logger.debug('leases were not given back', { error: messageOf(error) });
    });
  }

  /** When the first lease of another process ends, so that what a dead one held is taken over at once. */
  #untilNextEnds(seen: readonly Lease[], me: string): number {
    const now = this.#context.clock.now();
    const ends = seen
      .filter(({ holderId }) => holderId !== me)
      .map(({ expiresAt }) => Date.parse(expiresAt) - now);
    return Math.max(leaseTimes.soonestMs, Math.min(...ends) + 1);
  }

  /** Tells of leases that run out before a renewal succeeds, at that moment. */
  #watchExpiry(): void {
    this.#cancelExpiry?.();
    const untilMs = Math.min(...[...this.#held.values()].map((lease) => lease.untilMs));
    if (this.#stopped || !Number.isFinite(untilMs)) return;
    this.#cancelExpiry = this.#context.clock.schedule(untilMs - this.#context.clock.monotonicMs(), () => {
      this.#held.clear();
      this.#options.onChange();
    });
  }

  #holder(): LeaseHolder {
    const { holderId: id, address } = this.#options;
    return { id, ttlMs: leaseTimes.ttlMs, address: address?.() };
  }

  #keep(leases: readonly Lease[], sentMs: number): void {
    const untilMs = sentMs + leaseTimes.ttlMs - leaseTimes.marginMs;
    for (const { name, epoch } of leases) this.#held.set(name, { epoch, untilMs });
  }

  #names(): string {
    return [...this.#held.keys()].sort().join('\n');
  }

  /** Asks the providers where their copies live; one whose backend is away is asked again at the next turn. */
  async #findPlacements(): Promise<void> {
    if (!this.#options.worker) return;
    await Promise.all(
      [...this.#context.providers].map(async ([type, provider]) => {
        if (this.#placements.has(type)) return;
        try {
          this.#placements.set(type, await this.#options.reach(provider));
          this.#options.condition.recovered(`provider:${type}`);
        } catch (error) {
          this.#options.condition.degraded(
            `provider:${type}`,
            normaliseError(error, 'PROVIDER_FAILED', `The provider "${type}" is away`),
          );
        }
      }),
    );
  }
}
