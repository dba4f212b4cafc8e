import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import { shardCount, shardOf } from '../domain/shard.js';
import type { Provider } from '../ports/provider.js';
import type { Lease, LeaseHolder } from '../ports/store.js';
import type { FleetCondition } from './fleet-condition.js';
import type { ServiceContext } from './service-context.js';
import type { OwnedKey, Ownership } from './worker-parts.js';

/** The times of leases, in milliseconds. */
const leaseTimes = Object.freeze({ ttlMs: 15_000, renewEveryMs: 5_000, marginMs: 5_000 });

const relayLease = 'relay';

/**
 * Holds the leases of this process: for the relay, and for each (placement, shard) it works on.
 *
 * A lease is trusted until its time counted from *sending* the renewal, less a margin, on the monotonic clock: a
 * process that was frozen finds its leases expired before it acts.
 */
export class LeaseKeeper implements Ownership {
  readonly #context: ServiceContext;
  readonly #condition: FleetCondition;
  readonly #holder: LeaseHolder;
  readonly #worker: boolean;
  readonly #held = new Map<string, { readonly epoch: number; readonly untilMs: number }>();
  readonly #placements = new Map<string, string>();
  readonly #onChange: () => void;
  readonly #reach: (provider: Provider) => Promise<string>;
  #cancel: (() => void) | undefined;
  #cancelExpiry: (() => void) | undefined;
  #turn: Promise<void> | undefined;
  #stopped = false;

  constructor(
    context: ServiceContext,
    options: {
      readonly holderId: string;
      readonly worker: boolean;
      readonly condition: FleetCondition;
      /** Opens a provider where that has not been done, and asks where its copies live. */
      readonly reach: (provider: Provider) => Promise<string>;
      /** Told when leases were lost or gained, so that work is stopped or looked for. */
      readonly onChange: () => void;
    },
  ) {
    this.#context = context;
    this.#condition = options.condition;
    this.#holder = { id: options.holderId, ttlMs: leaseTimes.ttlMs };
    this.#worker = options.worker;
    this.#onChange = options.onChange;
    this.#reach = options.reach;
  }

  fence(record: OwnedKey): number | null {
    const placement = this.#placements.get(record.type);
    if (placement === undefined || (record.placement !== null && record.placement !== placement)) return null;
    return this.#epoch(`${placement}/${String(shardOf(record.id))}`);
  }

  placement(type: string): string | null {
    return this.#placements.get(type) ?? null;
  }

  /** Whether this process numbers and publishes events now. */
  isRelay(): boolean {
    return this.#epoch(relayLease) !== null;
  }

  async start(): Promise<void> {
    await this.#renew();
    this.#plan();
  }

  /** Gives everything back, so that others need not wait for the leases to run out. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancelExpiry?.();
    await this.#turn;
    const names = [...this.#held.keys()];
    this.#held.clear();
    await this.#context.store.leases.release(names, this.#holder.id).catch((error: unknown) => {
      this.#context.logger.debug('leases were not given back', { error: messageOf(error) });
    });
  }

  #epoch(name: string): number | null {
    const lease = this.#held.get(name);
    return lease && this.#context.clock.monotonicMs() < lease.untilMs ? lease.epoch : null;
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#cancel = this.#context.clock.schedule(leaseTimes.renewEveryMs, () => {
      this.#turn = this.#renew().finally(() => {
        this.#plan();
      });
    });
  }

  async #renew(): Promise<void> {
    const before = this.#names();
    const sentMs = this.#context.clock.monotonicMs();
    const untilMs = sentMs + leaseTimes.ttlMs - leaseTimes.marginMs;
    try {
      const [renewed] = await Promise.all([
        this.#context.store.leases.renew(this.#holder),
        this.#findPlacements(),
      ]);
      const wanted = this.#wanted();
      const missing = wanted.filter((name) => !renewed.some((lease) => lease.name === name));
      const taken =
        missing.length === 0 ? [] : await this.#context.store.leases.acquire(missing, this.#holder);
      this.#held.clear();
      for (const lease of [...renewed, ...taken]) this.#keep(lease, untilMs);
      this.#condition.recovered('store');
    } catch (error) {
      this.#condition.degraded('store', normaliseError(error, 'STORE_FAILED', 'Renewing leases failed'));
    }
    this.#watchExpiry();
    if (this.#names() !== before) this.#onChange();
  }

  /** Tells of leases that run out before a renewal succeeds, at that moment. */
  #watchExpiry(): void {
    this.#cancelExpiry?.();
    const untilMs = Math.min(...[...this.#held.values()].map((lease) => lease.untilMs));
    if (this.#stopped || !Number.isFinite(untilMs)) return;
    this.#cancelExpiry = this.#context.clock.schedule(untilMs - this.#context.clock.monotonicMs(), () => {
      this.#held.clear();
      this.#onChange();
    });
  }

  #keep(lease: Lease, untilMs: number): void {
    this.#held.set(lease.name, { epoch: lease.epoch, untilMs });
  }

  #names(): string {
    return [...this.#held.keys()].sort().join('\n');
  }

  #wanted(): string[] {
    const shards = Array.from({ length: shardCount }, (_, shard) => String(shard));
    const placements = [...new Set(this.#placements.values())];
    return [relayLease, ...placements.flatMap((placement) => shards.map((shard) => `${placement}/${shard}`))];
  }

  /** Asks the providers where their copies live; one whose backend is away is asked again at the next turn. */
  async #findPlacements(): Promise<void> {
    if (!this.#worker) return;
    await Promise.all(
      [...this.#context.providers].map(async ([type, provider]) => {
        if (this.#placements.has(type)) return;
        try {
          this.#placements.set(type, await this.#reach(provider));
          this.#condition.recovered(`provider:${type}`);
        } catch (error) {
          this.#condition.degraded(
            `provider:${type}`,
            normaliseError(error, 'PROVIDER_FAILED', `The provider "${type}" is away`),
          );
        }
      }),
    );
  }
}
