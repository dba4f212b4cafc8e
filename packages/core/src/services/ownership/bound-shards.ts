import { SharedCalls } from '../../async/shared-call.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import { shardLease } from '../../domain/fleet/lease-names.js';
import { shardOf } from '../../domain/shard.js';
import type { Provider } from '../../ports/provider.js';
import type { ServiceContext } from '../context/service-context.js';

/**
 * Knows the leases that stay while this process lives, since what runs under them would end with another's taking over.
 *
 * Only providers whose copies end with their process have such; they are asked aside, never by who needs the answer.
 */
export class BoundShards {
  readonly #context: ServiceContext;
  readonly #placements: () => ReadonlyMap<string, string>;
  readonly #known = new Map<string, ReadonlySet<string>>();
  readonly #asking = new SharedCalls<string, void>();

  constructor(context: ServiceContext, placements: () => ReadonlyMap<string, string>) {
    this.#context = context;
    this.#placements = placements;
  }

  /** Whether a lease of a placement may be given away, as far as it was last seen; not while nothing was seen. */
  mayGive(placement: string, lease: string): boolean {
    return this.#providersAt(placement).every(({ type }) => this.#known.get(type)?.has(lease) === false);
  }

  /** Asks anew. Resolves when that is done; never rejects. */
  async refresh(): Promise<void> {
    const asked = [...this.#placements().keys()].flatMap((type) => {
      const provider = this.#context.providers.get(type);
      return provider?.copiesEndWithProcess === true
        ? [this.#asking.get(type, () => this.#ask(provider))]
        : [];
    });
    await Promise.all(asked);
  }

  /** Those of some leases that may be given away, by what there is now; none of a provider that does not say. */
  async givable(leases: readonly string[]): Promise<readonly string[]> {
    const placements = [...new Set(this.#placements().values())];
    const placementOf = (lease: string): string | undefined =>
      placements.find((placement) => lease.startsWith(`${placement}/`));
    const concerned = new Set(leases.map(placementOf).filter((placement) => placement !== undefined));
    const providers = [...concerned].flatMap((placement) => this.#providersAt(placement));
    for (const { type } of providers) this.#known.delete(type);
    await Promise.all(providers.map((provider) => this.#ask(provider)));
    return leases.filter((lease) => {
      const placement = placementOf(lease);
      return placement !== undefined && this.mayGive(placement, lease);
    });
  }

  #providersAt(placement: string): readonly Provider[] {
    return [...this.#context.providers.values()].filter(
      ({ type, copiesEndWithProcess }) =>
        copiesEndWithProcess === true && this.#placements().get(type) === placement,
    );
  }

  async #ask(provider: Provider): Promise<void> {
    const { type } = provider;
    const placement = this.#placements().get(type);
    if (placement === undefined) return;
    try {
      const listed = await provider.list();
      const names = listed.map(({ copy }) => shardLease(placement, shardOf(copy.instanceId)));
      this.#known.set(type, new Set(names));
    } catch (error) {
      this.#known.delete(type);
      this.#context.logger.debug('what has to stay here is not known', { type, error: messageOf(error) });
    }
  }
}
