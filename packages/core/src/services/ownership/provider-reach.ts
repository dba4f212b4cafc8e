import { withDeadline } from '../../async/deadline.js';
import { Recurring } from '../../async/recurring.js';
import { SharedCalls } from '../../async/shared-call.js';
import { sleep } from '../../async/sleep.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Provider } from '../../ports/provider.js';
import type { ServiceContext } from '../context/service-context.js';
import type { FleetCondition } from '../events/fleet-condition.js';

/** In milliseconds. */
const times = Object.freeze({
  /** How often a provider is asked. */
  turn: 5_000,
  /** How often one that did not answer. */
  away: 2_000,
  /** How often, at most, one is asked for all it runs, because somebody met with trouble: with one sick copy that may be many times a minute. */
  doubted: 15_000,
  /** What takes longer is told as away. */
  late: 5_000,
});

/** A copy that never is: asking for it asks the backend, and costs it nothing. */
const nobody = Object.freeze({ instanceId: 'nobody', slug: 'nobody', revision: 0 });

/** What a {@link ProviderReach} works with. */
export interface ProviderReachOptions {
  readonly condition: FleetCondition;
  /** Told each time a provider answered. */
  readonly onAnswer: (provider: Provider) => void;
  /** Told when it has become known where the copies of another provider live. */
  readonly onReached: () => void;
  /** Told when a provider answers that did not: what it was asked for meanwhile it may have swallowed. */
  readonly onBack: (provider: Provider) => void;
}

/**
 * Opens the providers, learns where their copies live, and says whether they work: each by itself, again and again, so
 * that one that hangs delays no other and nothing else. It alone says so; whoever else meets with silence leaves evidence.
 */
export class ProviderReach {
  readonly #context: ServiceContext;
  readonly #options: ProviderReachOptions;
  readonly #placements = new Map<string, string>();
  /** What only the host can mend. */
  readonly #refused = new Map<string, MCPInfraError>();
  /** First answers under way. */
  readonly #reaching = new SharedCalls<string, void>();
  /** Those that are to list what they run, and when each last did. */
  readonly #doubted = new Set<string>();
  readonly #listedMs = new Map<string, number>();
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
      work: async () => ((await this.#look(provider)) ? times.turn : times.away),
      retryMs: times.turn,
      failed: (error) => {
        this.#context.logger.warn('a provider could not be looked at', { error: messageOf(error) });
      },
    });
  }

  /** @returns whether the provider works */
  async #look(provider: Provider): Promise<boolean> {
    const { condition, onBack } = this.#options;
    const { type } = provider;
    const part = partOf(type);
    try {
      await withDeadline((signal) => this.#ask(provider, signal), {
        clock: this.#context.clock,
        timeoutMs: times.late,
        expired: () => lateError(type),
      });
    } catch (error) {
      const away = normaliseError(error, 'PROVIDER_FAILED', `The provider "${type}" is away`);
      if (MCPInfraError.isInstance(error) && error.category === 'config' && !error.retryable)
        this.#refused.set(type, error);
      condition.degraded(part, away);
      return false;
    }
    const isBack = condition.troubles.has(part);
    condition.recovered(part);
    if (isBack) onBack(provider);
    return true;
  }

  async #ask(provider: Provider, signal: AbortSignal): Promise<void> {
    const { type } = provider;
    if (this.#placements.has(type)) await provider.placement({ signal });
    // Not given up when it is late: the next look goes on waiting for it.
    else await this.#reaching.get(type, () => this.#reach(provider));
    this.#options.onAnswer(provider);
    // What lives nowhere has no engine that could be away.
    if (this.#placements.get(type) === '*') return;
    // Where its copies live it may know by heart; what becomes of one, it has to ask for.
    await provider.observe(nobody, { signal });
    if (!this.#isToList(type)) return;
    await provider.list({ signal });
    this.#doubted.delete(type);
    this.#listedMs.set(type, this.#context.clock.monotonicMs());
  }

  #isToList(type: string): boolean {
    if (!this.#doubted.has(type)) return false;
    if (this.#options.condition.troubles.has(partOf(type))) return true;
    const sinceMs = this.#context.clock.monotonicMs() - (this.#listedMs.get(type) ?? -Infinity);
    return sinceMs >= times.doubted;
  }

  /** Opens a provider and learns where its copies live. */
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
    this.#placements.set(provider.type, await provider.placement());
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
