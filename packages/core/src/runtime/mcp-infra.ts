import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import { createMCPLinks } from '../mcp/create-mcp-links.js';
import { loadTransports } from '../mcp/load-transports.js';
import type { EventBus } from '../ports/event-bus.js';
import type { Logger } from '../ports/logger.js';
import type { Prerequisite, Provider } from '../ports/provider.js';
import type { SecretResolver, SecretStore } from '../ports/secret-resolver.js';
import type { Store, StoreIdentity } from '../ports/store.js';
import { EventHub } from '../services/event-hub.js';
import { EventRelay } from '../services/event-relay.js';
import type { DurableSubscription } from '../services/event-stream.js';
import { FleetCondition, type PartCondition } from '../services/fleet-condition.js';
import { HealthMonitor } from '../services/health-monitor.js';
import { lifecycleMs } from '../services/lifecycle-ms.js';
import { copyRef, LinkRegistry } from '../services/link-registry.js';
import { LeaseKeeper } from '../services/lease-keeper.js';
import { OrphanCollector, type CollectOptions, type CollectResult } from '../services/orphan-collector.js';
import { SecretSource } from '../services/secret-source.js';
import type { ServiceContext } from '../services/service-context.js';
import { isAborted, sleepUntil } from '../services/wake-signal.js';
import type { WorkerParts } from '../services/worker-parts.js';
import { diagnose } from './doctor.js';
import { guardEventBus } from './guarded-event-bus.js';
import { guardProvider } from './guarded-provider.js';
import { guardSecretResolver, guardSecretStore } from './guarded-secrets.js';
import { guardStore } from './guarded-store.js';
import { Lifecycle } from './lifecycle.js';
import type { ResolvedOptions } from './options.js';
import { safeLogger } from './safe-logger.js';
import { MCPInfraScope, type ScopeParts } from './scope.js';
import { Slots } from './slots.js';
import { TimerHeap } from './timer-heap.js';
import { Worker } from './worker.js';

/** How the fleet's surroundings are. */
export interface FleetHealth {
  readonly status: 'ok' | 'degraded' | 'stopped';
  /** The parts that do not work. */
  readonly degraded: readonly PartCondition[];
  /** How many instances are in each status. */
  readonly instances: Readonly<Record<string, number>>;
}

/** Options of a scope. */
export interface ScopeOptions {
  readonly tenant: string;
}

const statuses = [
  'pending',
  'pulling',
  'starting',
  'running',
  'unhealthy',
  'stopping',
  'stopped',
  'idle',
  'failed',
  'deleting',
] as const;

/**
 * A fleet of MCP servers inside a host.
 *
 * Made by {@link createMCPInfra}; does nothing until `start()`. Installs no signal handlers and keeps no global state.
 */
export class MCPInfra<TSpec extends JsonSpec = JsonSpec>
  extends MCPInfraScope<TSpec>
  implements AsyncDisposable
{
  readonly #wiring: Wiring;
  readonly #lifecycle: Lifecycle;

  /** @internal */
  constructor(options: ResolvedOptions) {
    const wiring = new Wiring(options);
    super(wiring.scopeParts, null);
    this.#wiring = wiring;
    this.#lifecycle = new Lifecycle({ start: () => wiring.start(), stop: () => wiring.stop() });
  }

  /** The name of the fleet and the id of its store; known after `start()`. @throws `NOT_STARTED` */
  get identity(): StoreIdentity {
    return this.#wiring.context.identity();
  }

  /**
   * Connects and begins to work. A second call gets the same promise.
   *
   * Rejects for wrong configuration only; a backend that is away makes the fleet `degraded` and is tried again.
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /** Lets calls in flight end, then forces them, and closes in reverse order. Idempotent; a failed stop can be retried. */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The same fleet as one tenant sees it: it creates, limits and hears only that tenant's. */
  scope({ tenant }: ScopeOptions): MCPInfraScope<TSpec> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u.test(tenant)) {
      throw mcpError(
        'INVALID_ARGUMENT',
        `A tenant is up to 100 letters, digits, ".", "_" and "-", not ${JSON.stringify(tenant)}.`,
      );
    }
    return new MCPInfraScope<TSpec>(this.#wiring.scopeParts, tenant);
  }

  /** How the fleet's surroundings are, and how many instances are in each status. */
  async health(): Promise<FleetHealth> {
    const degraded = this.#wiring.condition.parts();
    if (!this.#lifecycle.isRunning) return { status: 'stopped', degraded, instances: {} };
    const { instances } = this.#wiring.context.store;
    const counts = await Promise.all(
      statuses.map(async (status) => [status, await instances.count({ status: [status] })] as const),
    );
    return {
      status: degraded.length === 0 ? 'ok' : 'degraded',
      degraded,
      instances: Object.fromEntries(counts),
    };
  }

  /** One line for each thing the fleet needs, ok or with what mends it. */
  async doctor(): Promise<readonly Prerequisite[]> {
    return diagnose(this.#wiring.context, { bus: this.#wiring.bus, started: this.#lifecycle.isRunning });
  }

  /** Removes copies that no instance speaks of; done by itself every resync. */
  async collect(options: CollectOptions = {}): Promise<CollectResult> {
    return new OrphanCollector(this.#wiring.parts).collect(options);
  }
}

/** Everything a fleet consists of, put together and taken apart in order. */
class Wiring {
  readonly #options: ResolvedOptions;
  readonly context: ServiceContext;
  readonly bus: EventBus;
  readonly condition: FleetCondition;
  readonly parts: WorkerParts;
  readonly scopeParts: ScopeParts;
  readonly #hub: EventHub;
  readonly #relay: EventRelay;
  readonly #leases: LeaseKeeper;
  readonly #worker: Worker | undefined;
  readonly #subscriptions = new Set<DurableSubscription>();
  readonly #ending = new AbortController();
  readonly #off: (() => void)[] = [];
  #identity: StoreIdentity | undefined;
  #alive: NodeJS.Timeout | undefined;

  constructor(options: ResolvedOptions) {
    const { clock, deadlines, concurrency } = options;
    const logger: Logger = safeLogger(options.logger);
    const guard = { clock, logger, deadlines };
    const providers = new Map(
      options.providers.map((p): [string, Provider] => [p.type, guardProvider(p, guard)]),
    );
    const store: Store = guardStore(options.store, guard);
    const resolvers = options.secrets.map((s) =>
      isWritable(s) ? guardSecretStore(s, guard) : guardSecretResolver(s, guard),
    );
    this.#options = options;
    this.bus = guardEventBus(options.events, guard);
    this.context = {
      store,
      providers,
      schemas: new Map([...providers].map(([type, provider]) => [type, provider.specSchema])),
      resolvers,
      secretStore: resolvers.find(isWritable) ?? null,
      links: createMCPLinks({ clock, logger }),
      clock,
      logger,
      settings: options,
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
      identity: () => {
        if (!this.#identity)
          throw mcpError('NOT_STARTED', 'The infra has not been started: call start() and wait for it.');
        return this.#identity;
      },
      wake: (id, news) => {
        this.#worker?.wake(id, news);
      },
      committed: () => void this.#relay.run(),
    };
    this.condition = new FleetCondition(this.context);
    this.#hub = new EventHub(this.context);
    this.#leases = new LeaseKeeper(this.context, {
      holderId: `${hostname()}-${String(process.pid)}-${randomBytes(4).toString('hex')}`,
      worker: options.roles.has('worker'),
      condition: this.condition,
      reach: (provider) => this.#reach(provider),
      onChange: () => {
        this.#worker?.ownershipChanged();
        void this.#relay.run();
      },
    });
    this.#relay = new EventRelay(this.context, this.bus, {
      condition: this.condition,
      mayRelay: () => this.#leases.isRelay(),
    });
    const secrets = new SecretSource(this.context);
    const links = new LinkRegistry(this.context, secrets, (id) => {
      this.parts.health.toolsChanged(id);
    });
    const health = new HealthMonitor(this.context, {
      parts: () => this.parts,
      slots: new Slots(concurrency.probes),
      timers: (due) => new TimerHeap<string>(clock, due),
    });
    this.parts = {
      context: this.context,
      links,
      secrets,
      condition: this.condition,
      health,
      ownership: this.#leases,
      startSlots: new Slots(concurrency.starts),
      pullSlots: new Slots(concurrency.pulls),
    };
    this.scopeParts = { ...this.parts, hub: this.#hub, subscriptions: this.#subscriptions };
    if (options.roles.has('worker')) {
      this.#worker = new Worker(this.parts, {
        parallel: concurrency.reconciles,
        resyncEveryMs: options.resyncEveryMs,
      });
    }
  }

  async start(): Promise<void> {
    const { store, logger, resolvers, secretStore } = this.context;
    // Like a server that listens: what was started keeps the process alive until it is stopped.
    this.#alive = setInterval(() => undefined, 2 ** 30);
    try {
      [this.#identity] = await Promise.all([store.open(), loadTransports()]);
      for (const resolver of resolvers) await resolver.open?.();
      if (this.#identity.durable && secretStore && !secretStore.durable) {
        logger.warn(
          'secrets are kept in memory although the store is durable: secrets given in clear are lost at a restart',
        );
      }
      await this.bus.open({ fleet: this.#identity.fleet });
      this.#off.push(
        await this.bus.subscribe({}, (event) => {
          this.#hub.dispatch(event);
        }),
      );
      const offStore = store.watch?.(() => void this.#relay.run());
      if (offStore) this.#off.push(offStore);
      await this.#refuseMisconfigured();
      await this.#leases.start();
      this.#worker?.start();
      void this.#sweep();
    } catch (error) {
      await this.stop().catch((cause: unknown) => {
        logger.warn('what had been started could not be closed', { error: messageOf(cause) });
      });
      throw error;
    }
  }

  async stop(): Promise<void> {
    const { store, logger, providers, resolvers } = this.context;
    const { drainMs, onStop } = this.#options;
    this.#ending.abort();
    const attempt = async (what: string, work: () => Promise<unknown> | undefined): Promise<void> => {
      try {
        await work();
      } catch (error) {
        logger.warn('a part could not be closed', { part: what, error: messageOf(error) });
      }
    };
    await attempt('worker', () => this.#worker?.stop());
    if (onStop === 'destroy') await attempt('copies', () => this.#destroyCopies());
    await attempt('calls', () => this.#drain(drainMs));
    await attempt('links', () => this.parts.links.closeAll());
    for (const [type, provider] of providers) await attempt(`provider:${type}`, () => provider.close());
    await attempt('relay', () => this.#relay.run());
    for (const subscription of [...this.#subscriptions])
      await attempt('subscription', () => subscription.close());
    await attempt('leases', () => this.#leases.stop());
    for (const off of this.#off.splice(0)) off();
    await attempt('event-bus', () => this.bus.close());
    for (const resolver of resolvers) await attempt(`secrets:${resolver.name}`, () => resolver.close?.());
    clearInterval(this.#alive);
    await store.close();
  }

  /** Opens a provider, where that has not been done, and asks where its copies live. */
  async #reach(provider: Provider): Promise<string> {
    const { fleet, storeId } = this.context.identity();
    await provider.open({ fleet, storeId, logger: this.context.logger });
    const placement = await provider.placement();
    this.#worker?.watch(provider);
    return placement;
  }

  /** Rejects for what only the host can mend; a backend that is away is no such thing. */
  async #refuseMisconfigured(): Promise<void> {
    for (const provider of this.context.providers.values()) {
      try {
        await this.#reach(provider);
      } catch (error) {
        if (MCPInfraError.isInstance(error) && error.category === 'config' && !error.retryable) throw error;
        const away = normaliseError(error, 'PROVIDER_FAILED', `The provider "${provider.type}" is away`);
        this.condition.degraded(`provider:${provider.type}`, away);
      }
    }
  }

  /** Publishes what a dead process left unpublished, and drops events nobody may need any more. */
  async #sweep(): Promise<void> {
    const { clock, store, logger } = this.context;
    for (;;) {
      await sleepUntil(clock, 5_000, this.#ending.signal);
      if (isAborted(this.#ending.signal)) return;
      await this.#relay.run();
      if (!this.#leases.isRelay()) continue;
      const before = new Date(clock.now() - this.#options.eventRetentionMs).toISOString();
      await store.events.trim(before).catch((error: unknown) => {
        logger.debug('old events were not removed', { error: messageOf(error) });
      });
    }
  }

  async #drain(longestMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([
      sleepUntil(this.context.clock, longestMs, over.signal),
      this.parts.links.drainAll(over.signal),
    ]);
    over.abort();
  }

  async #destroyCopies(): Promise<void> {
    const { store, providers } = this.context;
    let cursor: string | undefined;
    do {
      const page = await store.instances.list({ limit: 500, cursor });
      for (const record of page.items) {
        const { type } = record.jsonSpec;
        const { active, candidate, placement } = record.runtime;
        if (this.#leases.fence({ id: record.id, type, placement }) === null) continue;
        for (const copy of [active, candidate]) {
          if (!copy) continue;
          const { stopGraceMs: graceMs } = lifecycleMs(copy.spec);
          await providers.get(type)?.destroy(copyRef(record, copy), { graceMs });
        }
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
}

function isWritable(secrets: SecretResolver | SecretStore): secrets is SecretStore {
  return 'put' in secrets;
}
