import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { Prerequisite } from '../ports/provider.js';
import type { StoreIdentity } from '../ports/store.js';
import type { CollectOptions, CollectResult } from '../services/reconcile/orphan-collector.js';
import { refuseUnknownOptions } from '../services/context/known-options.js';
import type { CommandOptions } from '../services/context/service-context.js';
import type { ApplyOptions, ApplyResult, FleetDocument } from '../services/documents/desired-state.js';
import type { EventStream } from '../services/events/event-stream.js';
import type { EnvironmentService } from '../services/instances/environment-service.js';
import type { InstanceManager } from '../services/instances/instance-manager.js';
import type { MCPServerRegistry } from '../services/servers/server-registry.js';
import { check } from './checked-options.js';
import { checkedTenant } from './checked-tenant.js';
import { fleetHealth, type FleetHealth } from './fleet-health.js';
import { Lifecycle } from './lifecycle.js';
import type { ResolvedOptions } from './options.js';
import { FleetScope, type MCPInfraScope } from './scope.js';
import type { StopReport } from './stop-time.js';
import { Wiring } from './wiring.js';

/** Options of a scope. */
export interface ScopeOptions {
  readonly tenant: string;
}

/** Options of a stop. */
export interface StopOptions {
  /** How long it may take in all; what has not been closed by then is left to itself. @defaultValue 30 000 */
  readonly timeoutMs?: number | undefined;
}

const stopTimeoutMs = 30_000;

/**
 * A fleet of MCP servers inside a host.
 *
 * Made by {@link createMCPInfra}; does nothing until `start()`. Installs no signal handlers and keeps no global state.
 */
export class MCPInfra<TSpec extends JsonSpec = JsonSpec> implements MCPInfraScope<TSpec>, AsyncDisposable {
  readonly servers: MCPServerRegistry;
  readonly instances: InstanceManager<TSpec>;
  readonly environment: EnvironmentService;
  readonly events: EventStream;
  readonly #whole: FleetScope<TSpec>;
  readonly #wiring: Wiring;
  readonly #lifecycle: Lifecycle<number, StopReport>;

  private constructor(options: ResolvedOptions) {
    const wiring = new Wiring(options);
    this.#wiring = wiring;
    this.#whole = new FleetScope<TSpec>(wiring.scopeParts, null);
    ({
      servers: this.servers,
      instances: this.instances,
      environment: this.environment,
      events: this.events,
    } = this.#whole);
    this.#lifecycle = new Lifecycle<number, StopReport>({
      start: () => wiring.start(),
      cancel: () => {
        wiring.cancel();
      },
      stop: (timeoutMs) => wiring.stop(timeoutMs),
    });
  }

  /** @internal */
  static of<TSpec extends JsonSpec>(options: ResolvedOptions): MCPInfra<TSpec> {
    return new MCPInfra<TSpec>(options);
  }

  /** The name of the fleet and the id of its store; known after `start()`. @throws `NOT_STARTED` */
  get identity(): StoreIdentity {
    return this.#wiring.context.identity();
  }

  /**
   * Connects and begins to work. A second call gets the same promise.
   *
   * Rejects for wrong configuration, and where the store or the event bus cannot be opened; it can then be called again,
   * and `stop()` lets go of what was opened. A provider whose backend is away or hangs makes the fleet `degraded` and is
   * tried again; it holds up `start()` for two seconds at most.
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Lets calls in flight end, then forces them; gives its leases back and closes everything. Idempotent.
   *
   * It ends within its time whatever hangs, and does not reject for that: what could not be closed is logged and reported.
   *
   * @throws `INVALID_OPTIONS` for options it does not take
   */
  async stop(options: StopOptions = {}): Promise<StopReport> {
    check.known(options, ['timeoutMs'], 'stop');
    const timeoutMs = check.whole('timeoutMs', options.timeoutMs ?? stopTimeoutMs);
    return this.#lifecycle.stop(timeoutMs, { unclosed: [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  apply(document: FleetDocument, options?: ApplyOptions): Promise<ApplyResult> {
    return this.#whole.apply(document, options);
  }

  export(options?: CommandOptions): Promise<FleetDocument> {
    return this.#whole.export(options);
  }

  /**
   * The same fleet as one tenant sees it: it creates, limits and hears only that tenant's.
   *
   * @throws `INVALID_ARGUMENT` for whatever does not name a tenant: there is no scope of the whole fleet but this itself
   */
  scope(options: ScopeOptions): MCPInfraScope<TSpec> {
    refuseUnknownOptions('scope()', options, ['tenant']);
    return new FleetScope<TSpec>(this.#wiring.scopeParts, checkedTenant(options.tenant));
  }

  /**
   * How the fleet's surroundings are, what of its own work does not go on, and how many instances are in each status.
   *
   * Never rejects, and answers within two seconds also while the store is away.
   */
  async health(): Promise<FleetHealth> {
    const { condition, context, scopeParts } = this.#wiring;
    if (!this.#lifecycle.isRunning) return { status: 'stopped', degraded: condition.parts(), instances: {} };
    return fleetHealth(context, { condition, sightings: scopeParts.sightings });
  }

  /**
   * Says whether something of the host's own goes on that belongs to the fleet, such as a bridge to another system:
   * `health()` shows it as `host:<part>` while it does not. May be said as often as it is done.
   */
  report(part: string, ok: boolean, message?: string): void {
    this.#wiring.condition.report(`host:${part}`, ok, message);
  }

  /** One line for each thing the fleet needs, ok or with what mends it. Never rejects, and answers within ten seconds. */
  async doctor(): Promise<readonly Prerequisite[]> {
    const { diagnose } = await import('./doctor.js');
    const { context, condition } = this.#wiring;
    return diagnose(context, { condition, started: this.#lifecycle.isRunning });
  }

  /** Removes copies that no instance speaks of; done by itself every resync. */
  async collect(options: CollectOptions = {}): Promise<CollectResult> {
    const { OrphanCollector } = await import('../services/reconcile/orphan-collector.js');
    return new OrphanCollector(this.#wiring.parts).collect(options);
  }
}
