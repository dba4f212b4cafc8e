/*
 * A whole fleet as one document: apply, ensure, export.
 * Hosts call it, and importers with what they read.
 * It never writes a row itself; it calls the rooms below.
 */
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { MCPServerInstance } from '../../domain/instance/mcp-server-instance.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import { partOf, tenantOf, type Scope } from '../context/access.js';
import { commandOptions, refuseUnknownOptions, waitableOptions } from '../context/known-options.js';
import type { InstanceManager } from '../instances/instance-manager.js';
import { InstancePlanner } from '../instances/instance-plan.js';
import type { MCPServerInstanceInput } from '../instances/instance-input.js';
import type { MCPServerRegistry } from '../servers/server-registry.js';
import type { MCPServerInput } from '../servers/server-input.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import type { CommandOptions, WaitableCommandOptions } from '../context/service-context.js';
import type { WriteParts } from '../secrets/secret-writes.js';
import type { InstanceWaiter } from '../sessions/instance-waiter.js';
import { ApplyTally, type ApplyResult, type PartOutcome } from './apply-tally.js';
export type { ApplyResult } from './apply-tally.js';

/** An instance of a {@link FleetDocument}: its server is named, since ids differ between fleets. */
export interface FleetInstance extends Omit<MCPServerInstanceInput<unknown>, 'serverSpecId'> {
  /** The name of its server, or `<name>@<version>`. */
  readonly server?: string | undefined;
}

/** Servers and instances by name; data, so it can be kept in a repository. */
export interface FleetDocument {
  readonly servers?: readonly MCPServerInput[] | undefined;
  readonly instances?: readonly FleetInstance[] | undefined;
  /** Remove what the document does not name, unless a part of it was refused. @defaultValue false */
  readonly prune?: boolean | undefined;
}

/** How a document is applied. */
export interface ApplyOptions extends WaitableCommandOptions {
  /** Only say what would be done. @defaultValue false */
  readonly dryRun?: boolean | undefined;
}

/** Makes a fleet like a document, and writes a document of a fleet. */
export class DesiredState {
  readonly #servers: MCPServerRegistry;
  readonly #instances: InstanceManager;
  readonly #scope: Scope;
  readonly #planner: InstancePlanner;
  readonly #waiter: InstanceWaiter;

  constructor(
    servers: MCPServerRegistry,
    instances: InstanceManager,
    parts: WriteParts & { readonly scope: Scope; readonly waiter: InstanceWaiter },
  ) {
    this.#servers = servers;
    this.#instances = instances;
    this.#scope = parts.scope;
    this.#planner = new InstancePlanner(parts, parts.scope);
    this.#waiter = parts.waiter;
  }

  /** Applies a document, each part by itself: a part that is refused is in `errors`, the others are done. */
  async apply(document: FleetDocument, options: ApplyOptions): Promise<ApplyResult> {
    refuseUnknownOptions('apply()', document, ['servers', 'instances', 'prune']);
    refuseUnknownOptions('apply()', options, [...waitableOptions, 'dryRun']);
    const tally = new ApplyTally();
    const { signal } = options;
    const servers = await this.#ownServers({ signal });
    for (const input of document.servers ?? []) {
      await tally.add(`server/${serverKey(input)}`, () => this.#applyServer(input, servers, options));
    }
    const planned = [...servers.values(), ...(document.servers ?? [])];
    const instances = await this.#ownInstances({ signal });
    for (const input of document.instances ?? []) {
      await tally.add(`instance/${input.name}`, () =>
        this.#applyInstance(input, { instances, servers, planned }, options),
      );
    }
    if (document.prune === true) await this.#prune(document, { servers, instances }, { tally, options });
    return tally.result();
  }

  /** Writes the fleet as a document for `apply`: with references, never with secret values. */
  async export(options: CommandOptions): Promise<FleetDocument> {
    refuseUnknownOptions('export()', options, commandOptions);
    // By name, so that the same fleet gives the same text.
    const servers = [...(await this.#ownServers(options)).values()].sort(byName);
    const byId = new Map(servers.map((server) => [server.id, server]));
    const instances = [...(await this.#ownInstances(options)).values()].sort(byName);
    return {
      servers: servers.map((server) => {
        const {
          id: _id,
          tenant: _tenant,
          createdAt: _created,
          updatedAt: _updated,
          resourceVersion: _version,
          ...rest
        } = server;
        return rest;
      }),
      instances: instances.map(
        ({ name, description, labels, desiredState, jsonSpec, serverSpecId }): FleetInstance => {
          const server = serverSpecId === null ? undefined : byId.get(serverSpecId);
          return {
            name,
            description,
            labels,
            desiredState,
            jsonSpec,
            ...(server ? { server: serverKey(server) } : {}),
          };
        },
      ),
    };
  }

  async #applyServer(
    input: MCPServerInput,
    servers: Map<string, MCPServer>,
    options: ApplyOptions,
  ): Promise<PartOutcome> {
    const { parseServerInput } = await import('../servers/server-input.js');
    const fields = parseServerInput(input);
    const existing = servers.get(serverKey(fields));
    const same =
      existing !== undefined && canonicalJson({ ...existing, ...fields }) === canonicalJson(existing);
    if (same) return { outcome: 'unchanged' };
    if (options.dryRun !== true) {
      const part = commandOf(options, `server/${serverKey(fields)}`);
      const written = await this.#servers.ensure(input, { ...part, rollout: 'rolling' });
      servers.set(serverKey(written), written);
    }
    return { outcome: existing ? 'updated' : 'created' };
  }

  async #applyInstance(
    input: FleetInstance,
    known: {
      readonly instances: ReadonlyMap<string, MCPServerInstance>;
      readonly servers: ReadonlyMap<string, MCPServer>;
      readonly planned: readonly (MCPServer | MCPServerInput)[];
    },
    options: ApplyOptions,
  ): Promise<PartOutcome> {
    const { server: serverName, ...rest } = input;
    const server = serverName === undefined ? undefined : findServer([...known.servers.values()], serverName);
    const planned = serverName === undefined ? undefined : findServer(known.planned, serverName);
    if (serverName !== undefined && !planned) {
      throw mcpError(
        'NOT_FOUND',
        `There is no server ${JSON.stringify(serverName)} for the instance ${JSON.stringify(input.name)}.`,
      );
    }
    const wanted = { ...rest, serverSpecId: server?.id ?? null } as MCPServerInstanceInput;
    const existing = known.instances.get(input.name);
    if (options.dryRun === true) return this.#planInstance(wanted, { existing, planned }, options);
    const before = existing?.generation;
    const part = commandOf(options, `instance/${input.name}`);
    const after = await this.#instances.ensure(wanted, part);
    const comesTrue = options.wait === true ? this.#waiter.untilTrue(after, options) : undefined;
    if (before === undefined) return { outcome: 'created', comesTrue };
    return { outcome: after.generation === before ? 'unchanged' : 'updated', comesTrue };
  }

  async #planInstance(
    wanted: MCPServerInstanceInput,
    known: {
      readonly existing: MCPServerInstance | undefined;
      readonly planned: MCPServer | MCPServerInput | undefined;
    },
    options: CommandOptions,
  ): Promise<PartOutcome> {
    const { existing, planned } = known;
    if (!existing) {
      const { parseServerInput } = await import('../servers/server-input.js');
      // A server of the same document is not made by a dry run, or not yet as the document has it.
      const given = planned === undefined || 'id' in planned ? null : parseServerInput(planned);
      const { valid, issues } = await this.#planner.validate(
        given ? { ...wanted, serverSpecId: null } : wanted,
        options,
        given && { ...given, resourceVersion: 0 },
      );
      if (valid) return { outcome: 'created' };
      throw mcpError('INVALID_SPEC', issues.map((issue) => `${issue.path}: ${issue.message}`).join('\n'), {
        details: { issues },
      });
    }
    const isSo = await this.#planner.isSo(existing, wanted, options);
    return { outcome: isSo ? 'unchanged' : 'updated' };
  }

  async #prune(
    document: FleetDocument,
    known: {
      readonly servers: ReadonlyMap<string, MCPServer>;
      readonly instances: ReadonlyMap<string, MCPServerInstance>;
    },
    run: { readonly tally: ApplyTally; readonly options: ApplyOptions },
  ): Promise<void> {
    const { tally, options } = run;
    if (tally.refused.length > 0) {
      await tally.add('prune', () => Promise.reject(notPruned(tally.refused)));
      return;
    }
    const keptInstances = new Set((document.instances ?? []).map(({ name }) => name));
    for (const [name, instance] of known.instances) {
      if (keptInstances.has(name)) continue;
      await tally.add(`instance/${name}`, async () => {
        if (options.dryRun === true) return { outcome: 'removed' };
        const part = commandOf(options, `instance/${name}`);
        await this.#instances.delete(instance.id, part);
        const comesTrue = options.wait === true ? this.#waiter.untilGone(instance.id, options) : undefined;
        return { outcome: 'removed', comesTrue };
      });
    }
    const keptServers = new Set((document.servers ?? []).map(serverKey));
    for (const [key, server] of known.servers) {
      if (keptServers.has(key)) continue;
      await tally.add(`server/${key}`, async () => {
        if (options.dryRun !== true)
          await this.#servers.delete(server.id, commandOf(options, `server/${key}`));
        return { outcome: 'removed' };
      });
    }
  }

  async #ownServers(options: CommandOptions): Promise<Map<string, MCPServer>> {
    const found = new Map<string, MCPServer>();
    for await (const server of this.#servers.all({}, options)) {
      if (server.tenant === tenantOf(this.#scope)) found.set(serverKey(server), server);
    }
    return found;
  }

  async #ownInstances(options: CommandOptions): Promise<Map<string, MCPServerInstance>> {
    const found = new Map<string, MCPServerInstance>();
    for await (const instance of this.#instances.all({}, options)) {
      if (instance.tenant === tenantOf(this.#scope) && instance.status !== 'deleting')
        found.set(instance.name, instance);
    }
    return found;
  }
}

/** How one part of the document is asked for, of the options of the whole. */
function commandOf({ signal, actor, idempotencyKey }: ApplyOptions, part: string): CommandOptions {
  return partOf({ signal, actor, idempotencyKey }, part);
}

/** A document that was misread must not take away what it meant to keep. */
function notPruned(refused: readonly string[]): MCPInfraError {
  const which = refused.slice(0, 5).join(', ') + (refused.length > 5 ? ', …' : '');
  const message = `Nothing was removed, because parts of the document were refused: ${which}. Correct them and apply again.`;
  return mcpError('CONFLICT', message, { details: { refused } });
}

function serverKey(server: { readonly name: string; readonly version?: string | undefined }): string {
  return `${server.name}@${server.version ?? '1.0.0'}`;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The server of a name, the newest version where none is given. */
function findServer<T extends { readonly name: string; readonly version?: string | undefined }>(
  servers: readonly T[],
  reference: string,
): T | undefined {
  return servers.findLast((server) => serverKey(server) === reference || server.name === reference);
}
