import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../domain/errors/normalise-error.js';
import { createMCPLinks } from '../mcp/create-mcp-links.js';
import { loadTransports } from '../mcp/load-transports.js';
import type { EventBus } from '../ports/event-bus.js';
import type { Logger } from '../ports/logger.js';
import type { PeerLink } from '../ports/peer-link.js';
import type { Provider } from '../ports/provider.js';
import type { SecretResolver, SecretStore } from '../ports/secret-resolver.js';
import type { Store, StoreIdentity, StoreNews } from '../ports/store.js';
import { EventHub } from '../services/events/event-hub.js';
import { EventRelay } from '../services/events/event-relay.js';
import type { DurableSubscription } from '../services/events/event-stream.js';
import { EventTail } from '../services/events/event-tail.js';
import { FleetCondition } from '../services/events/fleet-condition.js';
import { HealthMonitor } from '../services/health/health-monitor.js';
import { lifecycleMs } from '../services/context/lifecycle-ms.js';
import { copyRef, LinkRegistry } from '../services/ownership/link-registry.js';
import { LeaseKeeper } from '../services/ownership/lease-keeper.js';
import { OwnedCopies } from '../services/ownership/owned-copies.js';
import { RemoteOwners } from '../services/ownership/remote-owners.js';
import { SecretSource } from '../services/secrets/secret-source.js';
import type { ServiceContext } from '../services/context/service-context.js';
import { isAborted } from '../async/abort.js';
import { sleep } from '../async/sleep.js';
import type { WorkerParts } from '../services/reconcile/worker-parts.js';
import { guardEventBus } from '../guards/guarded-event-bus.js';
import { guardProvider } from '../guards/guarded-provider.js';
import { guardSecretResolver, guardSecretStore } from '../guards/guarded-secrets.js';
import { guardStore } from '../guards/guarded-store.js';
import { FleetClock } from './fleet-clock.js';
import type { ResolvedOptions } from './options.js';
import { safeLogger } from '../guards/safe-logger.js';
import type { ScopeParts } from './scope.js';
import { FairSlots } from '../async/fair-slots.js';
import { Slots } from '../async/slots.js';
import { TimerHeap } from '../async/timer-heap.js';
import { Worker } from './worker.js';

/** Everything a fleet consists of, put together and taken apart in order. */
export class Wiring {
  readonly #options: ResolvedOptions;
  readonly context: ServiceContext;
  readonly bus: EventBus;
  readonly condition: FleetCondition;
  readonly parts: WorkerParts;
  readonly scopeParts: ScopeParts;
  readonly #hub: EventHub;
  readonly #relay: EventRelay;
  readonly #tail: EventTail;
  readonly #leases: LeaseKeeper;
  readonly #worker: Worker | undefined;
  readonly #subscriptions = new Map<string, DurableSubscription>();
  readonly #ending = new AbortController();
  readonly #off: (() => void)[] = [];
  readonly #owned: OwnedCopies;
  #identity: StoreIdentity | undefined;
  #peer: PeerLink | undefined;
  #alive: NodeJS.Timeout | undefined;

  constructor(options: ResolvedOptions) {
    const { deadlines, concurrency } = options;
    const clock = new FleetClock(options.clock);
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
    this.#tail = new EventTail(this.context, this.#hub);
    this.#leases = new LeaseKeeper(this.context, {
      holderId: `${hostname()}-${String(process.pid)}-${randomBytes(4).toString('hex')}`,
      worker: options.roles.has('worker'),
      condition: this.condition,
      reach: (provider) => this.#reach(provider),
      address: () => this.#peer?.address,
      alignClock: () => clock.align(store),
      letGo: () => this.#dropLost(),
      onChange: () => {
        this.#worker?.ownershipChanged();
        void this.#dropLost();
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
      links,
      secrets,
      slots: new FairSlots(concurrency.probes, clock),
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
    this.#owned = new OwnedCopies(this.context, this.parts);
    this.scopeParts = {
      ...this.parts,
      owned: this.#owned,
      remote: new RemoteOwners(this.context, () => this.#peer),
      hub: this.#hub,
      claims: this.#leases,
      subscriptions: this.#subscriptions,
    };
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
          this.#tail.brought(event);
        }),
        this.#hub.on('*', null, (event) => {
          this.#worker?.heard(event);
        }),
      );
      await this.#tail.start();
      const offStore = store.watch?.((news) => {
        this.#hear(news);
      });
      if (offStore) this.#off.push(offStore);
      await this.#refuseMisconfigured();
      this.#peer = await this.#openPeer(this.#identity);
      await this.#leases.start();
      await this.#worker?.start();
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
    await attempt('calls', () => this.#drain(drainMs));
    await attempt('peer', () => this.#peer?.close());
    if (onStop === 'destroy') await attempt('copies', () => this.#destroyCopies());
    await attempt('links', () => this.parts.links.closeAll());
    for (const [type, provider] of providers) await attempt(`provider:${type}`, () => provider.close());
    await attempt('relay', async () => {
      await this.#relay.run();
      await this.#relay.save();
    });
    for (const subscription of [...this.#subscriptions.values()])
      await attempt('subscription', () => subscription.close());
    await attempt('leases', () => this.#leases.stop());
    for (const off of this.#off.splice(0)) off();
    await attempt('event-bus', () => this.bus.close());
    for (const resolver of resolvers) await attempt(`secrets:${resolver.name}`, () => resolver.close?.());
    clearInterval(this.#alive);
    await store.close();
  }

  #hear(news: StoreNews): void {
    if (news === 'committed') void this.#relay.run();
    if (news === 'numbered') void this.#tail.look();
    if (news === 'leases') void this.#leases.look();
  }

  #dropLost(): Promise<void> {
    return this.parts.links.dropLost((key) => this.#leases.fence(key) !== null);
  }

  /** Listens for peers before there is a lease that tells them where. @throws `INVALID_OPTIONS` */
  async #openPeer({ fleet }: StoreIdentity): Promise<PeerLink | undefined> {
    const { clock, logger } = this.context;
    const settings = this.#options.peer;
    if (settings === null) return undefined;
    const { openPeerLink } = await import('../mcp/peer/open-peer-link.js');
    return openPeerLink({ settings, fleet, host: this.#owned, clock, logger });
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
      await sleep(clock, 5_000, this.#ending.signal);
      if (isAborted(this.#ending.signal)) return;
      await Promise.all([this.#relay.run(), this.#tail.look()]);
      if (!this.#leases.isRelay()) continue;
      const before = new Date(clock.now() - this.#options.eventRetentionMs).toISOString();
      try {
        await this.#relay.save();
        await store.events.trim(before);
      } catch (error) {
        logger.debug('the event log was not tidied', { error: messageOf(error) });
      }
    }
  }

  async #drain(longestMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([
      sleep(this.context.clock, longestMs, over.signal),
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
