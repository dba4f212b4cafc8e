/*
 * The composition root: plugins behind their guards, then events, work and control, started and stopped in order.
 * What each part consists of is in its own `wire-…`; here is only what they need of one another, and when.
 */
import { orAborted, throwIfAborted } from '../async/abort.js';
import { sleep } from '../async/sleep.js';
import { isGroupLease, relayLease } from '../domain/fleet/lease-names.js';
import { type MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { loadMCPLinks } from '../mcp/load-mcp-links.js';
import type { EventBus } from '../ports/event-bus.js';
import type { MCPLinks } from '../ports/mcp-link.js';
import type { Provider } from '../ports/provider.js';
import type { StoreIdentity } from '../ports/store.js';
import type { ServiceContext } from '../services/context/service-context.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';
import { destroyCopies } from './destroy-copies.js';
import type { ResolvedOptions } from './options.js';
import type { ScopeParts } from './scope.js';
import { StopTime, type StopReport } from './stop-time.js';
import { finishingClock } from './system-clock.js';
import { wireControl, type WiredControl } from './wire-control.js';
import { wireEvents, type WiredEvents } from './wire-events.js';
import { wirePlugins } from './wire-plugins.js';
import { wireWorker, type WiredWorker } from './wire-worker.js';

/** How long `start` waits for providers to answer, so that it can refuse a wrong configuration. */
const refusalsMs = 2_000;
/** Shares of the time to stop: for what only talks to this process, and what is kept for plugins and the store at the end. */
const shares = Object.freeze({ localMs: 3_000, pluginsMs: 3_000, storeMs: 3_000 });

/** Everything a fleet consists of, put together and taken apart in order. */
export class Wiring {
  readonly context: ServiceContext;
  readonly #bus: EventBus;
  readonly #options: ResolvedOptions;
  readonly #events: WiredEvents;
  readonly #work: WiredWorker;
  readonly #control: WiredControl;
  readonly #ending = new AbortController();
  readonly #stopping = new AbortController();
  #identity: StoreIdentity | undefined;
  #links: MCPLinks | undefined;
  #letProcessEnd: () => void = () => undefined;

  constructor(options: ResolvedOptions) {
    const { bus, ...plugins } = wirePlugins(options, () => this.#events.condition.evidence('store'));
    this.#options = options;
    this.#bus = bus;
    this.context = {
      ...plugins,
      identity: () => {
        if (this.#identity) return this.#identity;
        throw notStarted();
      },
      links: {
        open: (target) => {
          if (this.#links) return this.#links.open(target);
          throw notStarted();
        },
      },
      stopping: this.#stopping.signal,
      wake: (id, news) => this.#work.worker?.wake(id, news),
      committed: () => this.#events.relay.committed(),
    };
    this.#events = wireEvents(this.context, {
      bus,
      mayRelay: () => this.#work.leases.isRelay(),
      onEvent: (event) => this.#work.heard(event),
      onLeases: () => void this.#work.leases.heard(),
      eventRetentionMs: options.eventRetentionMs,
    });
    this.#work = wireWorker(this.context, {
      condition: this.#events.condition,
      address: () => this.#control.address(),
      onOwnership: () => void this.#events.relay.run(),
      alignClock: () => plugins.clock.align(plugins.store),
      settings: options,
    });
    this.#control = wireControl(this.#work, this.#events, options);
  }

  get condition(): WiredEvents['condition'] {
    return this.#events.condition;
  }

  get parts(): ReconcileServices {
    return this.#work.parts;
  }

  get scopeParts(): ScopeParts {
    return this.#control.scopeParts;
  }

  /** How many instances each part keeps something of in memory; all of it goes with them. */
  get kept(): Readonly<Record<'worker' | 'secrets' | 'links' | 'probes', number>> {
    const { parts, worker } = this.#work;
    const { secrets, links, health } = parts;
    return {
      worker: worker?.size ?? 0,
      secrets: secrets.size,
      links: links.size,
      probes: [...health.records()].length,
    };
  }

  /** What had been opened when it rejects stays open, for the next call or for `stop`; nothing works meanwhile. */
  async start(): Promise<void> {
    const { signal } = this.#ending;
    // Like a server that listens: what was started keeps the process alive until it is stopped.
    this.#letProcessEnd = finishingClock.schedule(Infinity, () => undefined);
    try {
      await orAborted(this.#start(signal), signal);
    } catch (error) {
      this.#work.reach.stop();
      this.#events.unhear();
      // Where it was ended, that is for `stop`, which has a time for it.
      if (!signal.aborted) await this.#giveLeasesBack();
      this.#letProcessEnd();
      throw error;
    }
  }

  /** Ends a start under way. */
  cancel(): void {
    this.#ending.abort();
  }

  /** Closes everything within the time, side by side where order does not matter; what hangs is left to itself. */
  async stop(timeoutMs: number): Promise<StopReport> {
    const { store, resolvers, providers, clock, logger } = this.context;
    const { worker, leases, reach, parts, aligning } = this.#work;
    const { relay, subscriptions } = this.#events;
    const time = new StopTime(timeoutMs, { clock, logger });
    const kept = (ms: number): number => Math.min(ms, timeoutMs / 4);
    // However much was used before, there is something left for each.
    const allBut = (keptMs: number): number => Math.max(time.leftMs - keptMs, time.leftMs / 4);
    const most = (): number => allBut(kept(shares.storeMs));
    const first = (): number => allBut(kept(shares.storeMs) + kept(shares.pluginsMs));
    const local = (): number => Math.min(shares.localMs, most());
    this.#ending.abort();
    this.#stopping.abort(
      mcpError('ALREADY_STOPPED', 'The infra stops; what was waited for does not come any more.'),
    );
    reach.stop();
    void aligning.stop();

    // What goes on ends, or is ended. A handler of the host holds up nothing but the lease of its own group.
    const drainMs = this.#options.drainMs;
    const handled = Promise.all(
      [...subscriptions].map(([group, subscription]) =>
        time.close(`subscription:${group}`, Math.min(first(), Math.max(drainMs, shares.localMs)), () =>
          subscription.end(),
        ),
      ),
    );
    await Promise.all([
      time.close('worker', Math.min(first(), Math.max(drainMs, shares.localMs)), (signal) =>
        worker?.stop(signal),
      ),
      this.#drain(Math.min(drainMs, first())),
    ]);
    await time.close('peer', Math.min(local(), first()), () => this.#control.close());
    if (this.#options.onStop === 'destroy')
      await time.close('copies', first(), (signal) => destroyCopies(parts, signal));
    await time.close('links', Math.min(local(), first()), () => parts.links.closeAll());

    // Leases go before anything is waited for that may hang; but what ends with its process ends before others begin it.
    const closeProvider = (provider: Provider): Promise<void> =>
      time.close(`provider:${provider.type}`, most(), (signal) => provider.close({ signal }));
    const [bound, free] = split([...providers.values()], (p) => p.copiesEndWithProcess === true);
    const isBound = (lease: string): boolean =>
      bound.some(({ type }) => lease.startsWith(`${reach.placements.get(type) ?? '\0'}/`));
    await Promise.all([
      time.close('leases', local(), () =>
        leases.giveBack((lease) => lease !== relayLease && !isBound(lease) && !isGroupLease(lease)),
      ),
      handled.then(() => time.close('leases', local(), () => leases.giveBack(isGroupLease))),
      Promise.all(bound.map(closeProvider)).then(() =>
        time.close('leases', local(), () => leases.giveBack(isBound)),
      ),
      ...free.map(closeProvider),
      time
        .close('relay', local(), async () => {
          await relay.run();
          await relay.save();
        })
        .then(() => time.close('leases', local(), () => leases.giveBack((lease) => lease === relayLease))),
      ...resolvers.map((resolver) =>
        time.close(`secrets:${resolver.name}`, most(), (signal) => resolver.close?.({ signal })),
      ),
    ]);
    this.#events.stop();
    leases.stop();
    await time.close('event-bus', most(), (signal) => this.#bus.close({ signal }));
    await time.close('store', time.leftMs, (signal) => store.close({ signal }));
    this.#letProcessEnd();
    return time.report;
  }

  /** Leaves everything to other processes, until the next start. */
  async #giveLeasesBack(): Promise<void> {
    const { leases } = this.#work;
    await leases.giveBack();
    leases.stop();
  }

  /** Once the signal has fired it goes no step further; the step that it is at is not waited for. */
  async #start(signal: AbortSignal): Promise<void> {
    const { store, resolvers } = this.context;
    const [identity, links] = await Promise.all([
      store.open({ signal }),
      loadMCPLinks(this.context),
      this.#work.load(),
      this.#control.load(),
    ]);
    this.#identity = identity;
    this.#links ??= links;
    const steps: readonly (() => Promise<unknown> | undefined)[] = [
      () => Promise.all(resolvers.map(async (resolver) => resolver.open?.({ signal }))),
      () => this.#events.open(identity.fleet, signal),
      () => this.#work.reach.start(refusalsMs),
      () => this.#control.open(identity),
      // From here on nothing rejects.
      () => this.#work.aligning.now(),
      () => this.#work.leases.start(),
      () => this.#work.worker?.start(),
    ];
    this.#warnOfLostSecrets(identity);
    for (const step of steps) {
      throwIfAborted(signal);
      await step();
    }
    throwIfAborted(signal);
    this.#events.start();
  }

  #warnOfLostSecrets({ durable }: StoreIdentity): void {
    const { secretStore, logger } = this.context;
    if (!durable || !secretStore || secretStore.durable) return;
    logger.warn(
      'secrets are kept in memory although the store is durable: secrets given in clear are lost at a restart',
    );
  }

  async #drain(longestMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([
      sleep(this.context.clock, longestMs, over.signal),
      this.parts.links.drainAll(over.signal),
    ]);
    over.abort();
  }
}

function notStarted(): MCPInfraError {
  return mcpError('NOT_STARTED', 'The infra has not been started: call start() and wait for it.');
}

function split<T>(all: readonly T[], is: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}
