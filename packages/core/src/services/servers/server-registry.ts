/*
 * Definitions of servers: registering, planning and rolling out their versions.
 * Hosts call it, the instances' room admits definitions by it.
 * It never touches a running copy; a roll-out writes wishes.
 */
import { untilItFits } from '../../async/until-it-fits.js';
import type { Issue } from '../../domain/errors/issue.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { EventDraft } from '../../domain/events/event.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { rowsOfPages, type Page, type PageQuery } from '../../domain/list-page.js';
import type { MCPServer, MCPServerStatus } from '../../domain/server/mcp-server.js';
import { commandOptions, pageOptions, refuseUnknownOptions } from '../context/known-options.js';
import { newId, tenantOf, visibleServer, type Scope } from '../context/access.js';
import { draftEvent, serverSubject, serverWish, timestamp } from '../context/event-drafts.js';
import { pinServer } from '../context/move-to-definition.js';
import type { MCPServerFields, MCPServerInput } from './server-input.js';
import type { ServerPlan } from './server-plan.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import { canonicalJson } from '../../domain/canonical-json.js';

/** Which servers are asked for. */
export interface ServerFilter {
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly status?: MCPServerStatus | readonly MCPServerStatus[] | undefined;
}

const filterFields = ['name', 'labels', 'tags', 'status'] as const satisfies readonly (keyof ServerFilter)[];

/** How a change of a server reaches the instances made of it. */
export interface ServerUpdateOptions extends CommandOptions {
  readonly ifResourceVersion?: number | undefined;
  /**
   * `rolling` moves the instances to the new definition, each by start, probe, switch. Those that other tenants made of a
   * public server stay as they are: `MCPServerUpdated` tells their tenants, `instances.ensure()` moves them. @defaultValue none
   */
  readonly rollout?: 'none' | 'rolling' | undefined;
}

const updateOptions = [
  ...commandOptions,
  'ifResourceVersion',
  'rollout',
] as const satisfies readonly (keyof ServerUpdateOptions)[];

/** How a server that is in use is deleted. */
export interface ServerDeleteOptions extends CommandOptions {
  /** Delete its instances too. @defaultValue false */
  readonly cascade?: boolean | undefined;
}

interface Parts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly deleteInstance: (id: string, options?: CommandOptions) => Promise<void>;
}

/** The definitions of a fleet: what can run. */
export class MCPServerRegistry {
  readonly #context: ServiceContext;
  readonly #scope: Scope;
  readonly #deleteInstance: (id: string, options?: CommandOptions) => Promise<void>;

  private constructor({ context, scope, deleteInstance }: Parts) {
    this.#context = context;
    this.#scope = scope;
    this.#deleteInstance = deleteInstance;
  }

  /** @internal */
  static of(parts: Parts): MCPServerRegistry {
    return new MCPServerRegistry(parts);
  }

  /**
   * Adds a definition.
   *
   * @throws `INVALID_SPEC` with every fault at once; `ALREADY_EXISTS` for the same name and version
   */
  async register(input: MCPServerInput, options: CommandOptions = {}): Promise<MCPServer> {
    refuseUnknownOptions('servers.register()', options, commandOptions);
    return this.#register(input, options);
  }

  async #register(input: MCPServerInput, options: CommandOptions): Promise<MCPServer> {
    const { parseServerInput } = await import('./server-input.js');
    const fields = parseServerInput(input);
    const now = timestamp(this.#context);
    const server: MCPServer = {
      id: newId(this.#scope, 'server', options.idempotencyKey),
      tenant: tenantOf(this.#scope),
      ...fields,
      createdAt: now,
      updatedAt: now,
      resourceVersion: 1,
    };
    if (options.idempotencyKey !== undefined) {
      const earlier = await this.#context.store.servers.get(server.id, { signal: options.signal });
      if (earlier) return earlier;
    }
    const effects = { events: [this.#event('MCPServerCreated', server, options)] };
    try {
      const created = await this.#context.store.createServer(server, effects, { signal: options.signal });
      this.#context.committed();
      return created;
    } catch (error) {
      // Another call with the same key may have been faster.
      const earlier =
        options.idempotencyKey === undefined ? null : await this.#context.store.servers.get(server.id);
      if (earlier) return earlier;
      throw error;
    }
  }

  /** Registers a definition, or updates the one of the same name and version; does nothing when it is so already. */
  async ensure(input: MCPServerInput, options: ServerUpdateOptions = {}): Promise<MCPServer> {
    refuseUnknownOptions('servers.ensure()', options, updateOptions);
    const { parseServerInput } = await import('./server-input.js');
    const fields = parseServerInput(input);
    for (;;) {
      const existing = await this.#find(fields, options);
      if (existing) {
        return untilItFits(this.#context.random, async () => {
          const newest = (await this.#find(fields, options)) ?? existing;
          return () => this.#write(newest, fields, options);
        });
      }
      try {
        return await this.#register(input, options);
      } catch (error) {
        // Another process registered it between the look and the insert: look again.
        if (!(MCPInfraError.isInstance(error) && error.code === 'ALREADY_EXISTS')) throw error;
        if (!(await this.#find(fields, options))) throw error;
      }
    }
  }

  /** @throws `NOT_FOUND` */
  async get(id: string, options: CommandOptions = {}): Promise<MCPServer> {
    refuseUnknownOptions('servers.get()', options, commandOptions);
    return visibleServer(this.#context, this.#scope, { id, change: false, options });
  }

  /** Lists a page of definitions by age. */
  async list(query: ServerFilter & PageQuery = {}, options: CommandOptions = {}): Promise<Page<MCPServer>> {
    refuseUnknownOptions('servers.list()', query, [...filterFields, ...pageOptions]);
    refuseUnknownOptions('servers.list()', options, commandOptions);
    const { limit = 100, cursor, ...filter } = query;
    const { signal } = options;
    const { name, labels, tags } = filter;
    const status = typeof filter.status === 'string' ? [filter.status] : filter.status;
    const tenant = this.#scope ?? undefined;
    return this.#context.store.servers.list(
      { name, labels, tags, status, tenant, limit, cursor },
      { signal },
    );
  }

  /** Every definition by age, read page by page as it is iterated. */
  all(filter: ServerFilter = {}, options: CommandOptions = {}): AsyncGenerator<MCPServer, void> {
    refuseUnknownOptions('servers.all()', filter, filterFields);
    refuseUnknownOptions('servers.all()', options, commandOptions);
    return rowsOfPages((cursor) => this.list({ ...filter, limit: 500, cursor }, options));
  }

  /**
   * Changes the given fields of a definition. Instances keep what they were made from unless it is rolled out.
   *
   * @throws `NOT_FOUND`, `CONFLICT`, `INVALID_SPEC`
   */
  async update(
    id: string,
    patch: Partial<MCPServerInput>,
    options: ServerUpdateOptions = {},
  ): Promise<MCPServer> {
    refuseUnknownOptions('servers.update()', options, updateOptions);
    const { parseServerInput } = await import('./server-input.js');
    return untilItFits(this.#context.random, async () => {
      const current = await visibleServer(this.#context, this.#scope, { id, change: true, options });
      if (options.ifResourceVersion !== undefined && options.ifResourceVersion !== current.resourceVersion) {
        throw mcpError(
          'CONFLICT',
          `The server "${current.name}" has the resourceVersion ${String(current.resourceVersion)}, not ${String(options.ifResourceVersion)}.`,
        );
      }
      const fields = parseServerInput(patch, current);
      return () => this.#write(current, fields, options);
    });
  }

  /**
   * Says which instances a change would make invalid, and which a roll-out would replace. Changes nothing.
   *
   * An `update` does not refuse what is invalid here unless it is rolled out: instances keep what they were made from.
   *
   * @throws `NOT_FOUND`
   */
  async plan(id: string, patch: Partial<MCPServerInput>, options: CommandOptions = {}): Promise<ServerPlan> {
    refuseUnknownOptions('servers.plan()', options, commandOptions);
    const current = await visibleServer(this.#context, this.#scope, { id, change: true, options });
    const [{ parseServerInput }, { planServer }] = await Promise.all([
      import('./server-input.js'),
      import('./server-plan.js'),
    ]);
    let next: MCPServer;
    try {
      next = { ...current, ...parseServerInput(patch, current) };
    } catch (error) {
      if (!(MCPInfraError.isInstance(error) && error.code === 'INVALID_SPEC')) throw error;
      return { valid: false, issues: error.details['issues'] as readonly Issue[], instances: [] };
    }
    return planServer(this.#context, { current, next }, options);
  }

  /**
   * Removes a definition. Absent resolves.
   *
   * @throws `SERVER_IN_USE` with the list of its instances, unless `cascade`; always while other tenants have some,
   * which are not listed
   */
  async delete(id: string, options: ServerDeleteOptions = {}): Promise<void> {
    refuseUnknownOptions('servers.delete()', options, [...commandOptions, 'cascade']);
    const { signal } = options;
    const server = await this.#context.store.servers.get(id, { signal });
    if (!server || (this.#scope !== null && server.tenant !== this.#scope)) return;
    const { instancesOfServer } = await rollOuts();
    const users = await instancesOfServer(this.#context, { id, tenant: undefined }, { signal });
    const remaining = users.filter((record) => record.status !== 'deleting');
    const own = remaining.filter(({ tenant }) => this.#scope === null || tenant === this.#scope);
    if (own.length < remaining.length) throw inUseByOthers(server);
    if (remaining.length > 0 && options.cascade !== true) throw inUse(server, remaining);
    for (const record of remaining) await this.#deleteInstance(record.id, options);
    await this.#context.store.deleteServer(
      id,
      { events: [this.#event('MCPServerDeleted', server, options)] },
      { signal },
    );
    this.#context.committed();
  }

  /** The JSON Schema 2020-12 of a server's environment, to validate by or to render as a form. */
  async environmentSchema(
    id: string,
    options: CommandOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    refuseUnknownOptions('servers.environmentSchema()', options, commandOptions);
    const server = await this.get(id, options);
    const { environmentJsonSchema } = await import('../../domain/env-schema/environment-json-schema.js');
    // As in the check of an instance: who declares nothing takes anything.
    const allowUnknown = server.envSchema.length === 0 || this.#context.settings.allowUnknownEnvironment;
    const schema: unknown = environmentJsonSchema(server.envSchema, { allowUnknown });
    return schema as Readonly<Record<string, unknown>>;
  }

  async #write(
    current: MCPServer,
    fields: MCPServerFields,
    options: ServerUpdateOptions,
  ): Promise<MCPServer> {
    const rolling = options.rollout === 'rolling';
    const same = canonicalJson({ ...current, ...fields }) === canonicalJson(current);
    if (same && !rolling) return current;
    if (same && current.rollout === 'rolling') {
      const { rollOut } = await rollOuts();
      await rollOut(this.#context, pinServer(current), { server: current, ...options });
      return current;
    }
    const next: MCPServer = { ...current, ...fields, rollout: rolling ? 'rolling' : undefined };
    if (rolling)
      await (await rollOuts()).checkRollOut(this.#context, pinServer(next), { server: next, ...options });
    const row = { ...next, updatedAt: timestamp(this.#context) };
    const effects = { events: await this.#updated(next, options) };
    const written = await this.#context.store.updateServer(row, effects, { signal: options.signal });
    this.#context.committed();
    if (rolling)
      await (await rollOuts()).rollOut(this.#context, pinServer(written), { server: written, ...options });
    return written;
  }

  /** The news of a change, also in the tenants that have instances of it: theirs to move, no roll-out reaches them. */
  async #updated(server: MCPServer, options: ServerUpdateOptions): Promise<readonly EventDraft[]> {
    const { id, isPublic, tenant: own } = server;
    const all = { id, tenant: undefined };
    const { instancesOfServer } = await rollOuts();
    const users = isPublic ? await instancesOfServer(this.#context, all, { signal: options.signal }) : [];
    const tenants = new Set([own, ...users.map(({ tenant }) => tenant)]);
    return [...tenants].map((tenant) => this.#event('MCPServerUpdated', { ...server, tenant }, options));
  }

  async #find(fields: MCPServerFields, options: CommandOptions): Promise<MCPServer | undefined> {
    const query = { tenant: tenantOf(this.#scope), name: fields.name, version: fields.version, limit: 100 };
    const page = await this.#context.store.servers.list(query, { signal: options.signal });
    return page.items.find((server) => server.tenant === tenantOf(this.#scope));
  }

  #event(
    type: 'MCPServerCreated' | 'MCPServerUpdated' | 'MCPServerDeleted',
    server: MCPServer,
    options: CommandOptions,
  ) {
    const origin = {
      subject: server.id,
      tenant: server.tenant,
      actor: options.actor ?? 'system',
      correlationid: options.idempotencyKey ?? server.id,
    };
    const data = type === 'MCPServerDeleted' ? serverSubject(server) : serverWish(server);
    return draftEvent(this.#context, origin, { type, data });
  }
}

/** Loaded with the first change of a server, not with the package. */
const rollOuts = () => import('./roll-out.js');

function inUse({ name }: MCPServer, users: readonly InstanceRecord[]): MCPInfraError {
  const instances = users.map((record) => ({ id: record.id, name: record.name }));
  const first = instances.slice(0, 5).map((instance) => instance.name);
  const names = first.join(', ') + (instances.length > first.length ? ', …' : '');
  const message = `The server "${name}" is used by ${String(instances.length)} instance(s): ${names}.`;
  return mcpError('SERVER_IN_USE', message, { details: { instances } });
}

function inUseByOthers({ name }: MCPServer): MCPInfraError {
  const message = `The server "${name}" is used by other tenants. Set its status to disabled, so that no more instances are made of it, and have the host delete it.`;
  return mcpError('SERVER_IN_USE', message);
}
