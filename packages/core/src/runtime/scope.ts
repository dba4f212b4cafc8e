import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { Scope } from '../services/context/access.js';
import type { ApplyOptions, ApplyResult, FleetDocument } from '../services/documents/desired-state.js';
import { EnvironmentService } from '../services/instances/environment-service.js';
import type { EventHub } from '../services/events/event-hub.js';
import { EventStream, type OpenSubscription } from '../services/events/event-stream.js';
import { InstanceCommands } from '../services/instances/instance-commands.js';
import { InstanceManager } from '../services/instances/instance-manager.js';
import { InstanceSessions } from '../services/sessions/instance-sessions.js';
import { InstanceWaiter } from '../services/sessions/instance-waiter.js';
import type { OwnedCopies } from '../services/ownership/owned-copies.js';
import type { RemoteOwners } from '../services/ownership/remote-owners.js';
import type { Sightings } from '../services/ownership/sightings.js';
import { MCPServerRegistry } from '../services/servers/server-registry.js';
import type { CommandOptions } from '../services/context/service-context.js';
import type { Claims } from '../services/context/ownership.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';

/** What the scopes of one fleet share. */
export interface ScopeParts extends Pick<ReconcileServices, 'context' | 'links' | 'secrets' | 'condition'> {
  readonly hub: EventHub;
  readonly owned: OwnedCopies;
  readonly remote: RemoteOwners;
  readonly sightings: Sightings;
  readonly claims: Claims;
  readonly subscriptions: Map<string, OpenSubscription>;
}

/** The fleet as one tenant, or the host itself, sees it. */
export interface MCPInfraScope<TSpec extends JsonSpec = JsonSpec> {
  /** The definitions. */
  readonly servers: MCPServerRegistry;
  /** The instances. */
  readonly instances: InstanceManager<TSpec>;
  /** The variables and secrets of instances. */
  readonly environment: EnvironmentService;
  /** What happens. */
  readonly events: EventStream;
  /** Makes servers and instances like a document, by name. Applying it twice changes nothing the second time. */
  apply(document: FleetDocument, options?: ApplyOptions): Promise<ApplyResult>;
  /** Writes servers and instances as a document for `apply`: with references, never with secret values. */
  export(options?: CommandOptions): Promise<FleetDocument>;
}

/** Makes the services of a scope. */
export class FleetScope<TSpec extends JsonSpec> implements MCPInfraScope<TSpec> {
  readonly servers: MCPServerRegistry;
  readonly instances: InstanceManager<TSpec>;
  readonly environment: EnvironmentService;
  readonly events: EventStream;
  readonly #parts: Pick<ScopeParts, 'context' | 'secrets'> & {
    readonly scope: Scope;
    readonly waiter: InstanceWaiter;
  };

  constructor(parts: ScopeParts, scope: Scope) {
    const { context, links, secrets, condition, owned, remote, sightings, claims, hub, subscriptions } =
      parts;
    const commands = new InstanceCommands({ context, secrets }, scope);
    const waiter = new InstanceWaiter(context, hub, { scope, sightings });
    this.#parts = { context, secrets, scope, waiter };
    const sessions = new InstanceSessions(context, links, {
      secrets,
      waiter,
      scope,
      owned,
      remote,
      sightings,
    });
    this.instances = InstanceManager.of<TSpec>({
      context,
      scope,
      commands,
      waiter,
      sessions,
      secrets,
      sightings,
    });
    this.servers = MCPServerRegistry.of({
      context,
      scope,
      deleteInstance: async (id, options) => {
        await commands.delete(id, options ?? {});
      },
    });
    this.environment = EnvironmentService.of({ context, scope, commands });
    this.events = EventStream.of({ context, hub, condition, claims, scope }, subscriptions);
  }

  async apply(document: FleetDocument, options: ApplyOptions = {}): Promise<ApplyResult> {
    return (await this.#desiredState()).apply(document, options);
  }

  async export(options: CommandOptions = {}): Promise<FleetDocument> {
    return (await this.#desiredState()).export(options);
  }

  /** Loads with the first document, not with the package. */
  async #desiredState() {
    const { DesiredState } = await import('../services/documents/desired-state.js');
    return new DesiredState(this.servers, this.instances, this.#parts);
  }
}
