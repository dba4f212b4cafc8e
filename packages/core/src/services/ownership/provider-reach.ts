import { Recurring } from '../../async/recurring.js';
import { sleep } from '../../async/sleep.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Provider } from '../../ports/provider.js';
import type { ServiceContext } from '../context/service-context.js';
import type { FleetCondition } from '../events/fleet-condition.js';

/** In milliseconds. */
const times = Object.freeze({
  /** How often it is thought about whether to look. */
  turn: 5_000,
  /** How often a provider is looked at that nobody doubts. */
  steady: 30_000,
  /** How often, at most, because somebody met with trouble: with one sick copy that may be many times a minute. */
  doubted: 15_000,
  /** What takes longer is told as away, though it is waited for. */
  late: 5_000,
});

/** What a {@link ProviderReach} works with. */
export interface ProviderReachOptions {
  readonly condition: FleetCondition;
  /** Told each time a provider answered. */
  readonly onAnswer: (provider: Provider) => void;
  /** Told when it has become known where the copies of another provider live. */
  readonly onReached: () => void;
}

/**
 * Opens the providers, learns where their copies live, and says whether they work: each by itself, again and again, so
 * that one that hangs delays no other and nothing else.
 */
export class ProviderReach {
  readonly #context: ServiceContext;
  readonly #options: ProviderReachOptions;
  readonly #placements = new Map<string, string>();
  /** What only the host can mend. */
  readonly #refused = new Map<string, MCPInfraError>();
  readonly #lookedMs = new Map<string, number>();
  readonly #doubted = new Set<string>();
  #loops: readonly Recurring[] = [];

  constructor(context: ServiceContext, options: ProviderReachOptions) {
    this.#context = context;
    this.#options = options;
    for (const type of context.providers.keys())
      options.condition.onEvidence(`provider:${type}`, () => this.#doubted.add(type));
  }

  /** Where the copies of each type live, as far as that is known. */
  get placements(): ReadonlyMap<string, string> {
    return this.#placements;
  }

  /**
   * Begins with all providers at once. Resolves when each has answered or failed once, or the time is over.
   *
   * @throws what a provider refused meanwhile for what only the host can mend
   */
  async start(longestMs: number): Promise<void> {
    const { clock } = this.#context;
    this.#refused.clear();
    this.#lookedMs.clear();
    const loops = [...this.#context.providers.values()].map((provider) => this.#loopOf(provider));
    this.#loops = loops;
    const over = new AbortController();
    await Promise.race([Promise.all(loops.map((loop) => loop.now())), sleep(clock, longestMs, over.signal)]);
    over.abort();
    for (const refusal of this.#refused.values()) throw refusal;
  }

  /** Ends the looking; what is under way is not waited for. */
  stop(): void {
    for (const loop of this.#loops) void loop.stop();
    this.#loops = [];
  }

  #loopOf(provider: Provider): Recurring {
    return new Recurring({
      clock: this.#context.clock,
      work: async () => {
        if (this.#isDue(provider.type)) await this.#look(provider);
        return times.turn;
      },
      retryMs: times.turn,
      failed: (error) => {
        this.#context.logger.warn('a provider could not be looked at', { error: messageOf(error) });
      },
    });
  }

  #isDue(type: string): boolean {
    const looked = this.#lookedMs.get(type);
    if (looked === undefined || this.#isAway(type)) return true;
    const sinceMs = this.#context.clock.monotonicMs() - looked;
    return sinceMs >= (this.#doubted.has(type) ? times.doubted : times.steady);
  }

  #isAway(type: string): boolean {
    return !this.#options.condition.isWorking(partOf(type));
  }

  async #look(provider: Provider): Promise<void> {
    const { condition } = this.#options;
    const { clock } = this.#context;
    const { type } = provider;
    const part = partOf(type);
    const isDoubted = this.#doubted.delete(type) || condition.troubles.has(part);
    this.#lookedMs.set(type, clock.monotonicMs());
    const late = new AbortController();
    const cancel = clock.schedule(times.late, () => {
      late.abort();
      condition.degraded(part, lateError(type));
    });
    try {
      await this.#reach(provider);
      // Where its copies live it may know by heart; what there is, it has to ask for.
      if (isDoubted) await provider.list();
      if (!late.signal.aborted) condition.recovered(part);
    } catch (error) {
      const away = normaliseError(error, 'PROVIDER_FAILED', `The provider "${type}" is away`);
      if (MCPInfraError.isInstance(error) && error.category === 'config' && !error.retryable)
        this.#refused.set(type, error);
      condition.degraded(part, away);
    } finally {
      cancel();
    }
  }

  /** Opens a provider, where that has not been done, and asks where its copies live. */
  async #reach(provider: Provider): Promise<void> {
    const { fleet, storeId } = this.#context.identity();
    const { condition } = this.#options;
    await provider.open({
      fleet,
      storeId,
      logger: this.#context.logger,
      report: (part, ok, message) => {
        condition.report(`${partOf(provider.type)}/${part}`, ok, message);
        if (!ok) this.#doubted.add(provider.type);
      },
    });
    const placement = await provider.placement();
    this.#options.onAnswer(provider);
    if (this.#placements.has(provider.type)) return;
    this.#placements.set(provider.type, placement);
    this.#options.onReached();
  }
}

function partOf(type: string): string {
  return `provider:${type}`;
}

function lateError(type: string): MCPInfraError {
  return mcpError(
    'PLUGIN_TIMEOUT',
    `The provider "${type}" has not answered for ${times.late} ms; look whether its backend is reachable and not overloaded.`,
    { details: { timeoutMs: times.late } },
  );
}
