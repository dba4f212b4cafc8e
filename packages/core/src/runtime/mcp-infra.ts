import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { Prerequisite } from '../ports/provider.js';
import type { StoreIdentity } from '../ports/store.js';
import type { PartCondition } from '../services/events/fleet-condition.js';
import {
  OrphanCollector,
  type CollectOptions,
  type CollectResult,
} from '../services/reconcile/orphan-collector.js';
import { diagnose } from './doctor.js';
import { Lifecycle } from './lifecycle.js';
import type { ResolvedOptions } from './options.js';
import { MCPInfraScope } from './scope.js';
import { Wiring } from './wiring.js';

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
