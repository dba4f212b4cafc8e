/*
 * What hosts wish of instances and their environments: commands that check and write, queries that read.
 * Hosts call it through infra or a scope of it.
 * It never waits for an engine; it writes wishes and wakes their worker.
 */
import {
  toInstance,
  type InstanceRecord,
  type ToolDescription,
} from '../../domain/instance/instance-record.js';
import type { InstanceStatus, MCPServerInstance } from '../../domain/instance/mcp-server-instance.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { rowsOfPages, type Page, type PageQuery } from '../../domain/list-page.js';
import type { ToolCallResult } from '../../ports/mcp-link.js';
import type { LogLine, LogQuery } from '../../ports/provider.js';
import type { InstanceQuery } from '../../ports/store.js';
import { visibleInstance, type Scope } from '../context/access.js';
import {
  commandOptions,
  pageOptions,
  refuseUnknownOptions,
  waitableOptions,
} from '../context/known-options.js';
import type { ClientConfig, ClientConfigOptions } from './client-config.js';
import type { InstanceCommands, InstanceUpdateOptions } from './instance-commands.js';
import type { MCPServerInstanceInput, MCPServerInstancePatch } from './instance-input.js';
import type { CheckedPatch, CheckedSpec, SpecInput, SpecPatch } from './checked-spec.js';
import type { InstancePlan, ValidationResult } from './instance-plan.js';
import type {
  CallToolOptions,
  ConnectClientOptions,
  ConnectedClient,
  InstanceSessions,
} from '../sessions/instance-sessions.js';
import type { InstanceWaiter } from '../sessions/instance-waiter.js';
import type { Sightings } from '../ownership/sightings.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { CommandOptions, ServiceContext, WaitableCommandOptions } from '../context/service-context.js';

/** Which instances are asked for; fields left out do not restrict. */
export interface InstanceFilter extends Pick<InstanceQuery, 'name' | 'slug' | 'type' | 'serverSpecId'> {
  /** Every label must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Tags of the server it was made of; every tag must be there. */
  readonly tags?: readonly string[] | undefined;
  readonly status?: InstanceStatus | readonly InstanceStatus[] | undefined;
}

const filterFields = [
  'name',
  'slug',
  'labels',
  'tags',
  'type',
  'serverSpecId',
  'status',
] as const satisfies readonly (keyof InstanceFilter)[];

interface Parts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly commands: InstanceCommands;
  readonly waiter: InstanceWaiter;
  readonly sessions: InstanceSessions;
  readonly secrets: SecretSource;
  readonly sightings: Sightings;
}

/**
 * The instances of a fleet.
 *
 * A command resolves when the wish is durable, with `wait` when it has come true (see {@link WaitableCommandOptions}).
 * One that changes nothing resolves, too, and disturbs nothing.
 */
export class InstanceManager<TSpec extends JsonSpec = JsonSpec> {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @internal */
  static of<TSpec extends JsonSpec>(parts: Parts): InstanceManager<TSpec> {
    return new InstanceManager<TSpec>(parts);
  }

  /** The types of documents that instances of this fleet can have: one for each of its providers. */
  get types(): readonly string[] {
    return [...this.#parts.context.providers.keys()];
  }

  /**
   * Creates an instance. Secrets given in clear are moved to the secret store and replaced by references.
   *
   * @throws `INVALID_SPEC` with every fault at once, `ALREADY_EXISTS`, `LIMIT_EXCEEDED`, `NOT_FOUND`,
   * `SERVER_NOT_ACTIVE`; nothing is made then
   */
  async create<const T extends SpecInput<TSpec>>(
    input: MCPServerInstanceInput<T & CheckedSpec<T, TSpec>>,
    options: WaitableCommandOptions = {},
  ): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.create()', options, waitableOptions);
    return this.#answer(await this.#parts.commands.create(input, options), options);
  }

  /**
   * Creates an instance, or makes the one of the same name like the input; does nothing when it is so already: what sleeps
   * goes on sleeping. One that is being deleted is waited for, up to a minute, and made anew.
   *
   * @throws as `create` and `update`; `INSTANCE_DELETED` for one that is still being deleted then
   */
  async ensure<const T extends SpecInput<TSpec>>(
    input: MCPServerInstanceInput<T & CheckedSpec<T, TSpec>>,
    options: WaitableCommandOptions = {},
  ): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.ensure()', options, waitableOptions);
    const { ensureInstance } = await import('./ensure-instance.js');
    return this.#answer(await ensureInstance(this.#parts, input, options), options);
  }

  /**
   * Applies a merge patch (RFC 7396). The running copy is replaced only if what it runs changed: the new one is
   * started and probed first, and the old one serves on when that fails.
   *
   * @throws `INVALID_SPEC`, `CONFLICT`, `NOT_FOUND`, `INSTANCE_DELETED`; with `wait` as {@link WaitableCommandOptions}
   */
  async update<const P extends SpecPatch<TSpec>>(
    id: string,
    patch: MCPServerInstancePatch<P & CheckedPatch<P, TSpec>>,
    options: WaitableCommandOptions & InstanceUpdateOptions = {},
  ): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.update()', options, [...waitableOptions, 'ifResourceVersion']);
    return this.#answer(await this.#parts.commands.update(id, patch, options), options);
  }

  /** Deletes an instance, its copies and the secrets it owned. Absent resolves. */
  async delete(id: string, options: WaitableCommandOptions = {}): Promise<void> {
    refuseUnknownOptions('instances.delete()', options, waitableOptions);
    const record = await this.#parts.commands.delete(id, options);
    if (record && options.wait === true) await this.#parts.waiter.untilGone(id, options);
  }

  /** @throws `NOT_FOUND` */
  async get(id: string, options: CommandOptions = {}): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.get()', options, commandOptions);
    const { context, scope } = this.#parts;
    return this.#asSeen(await visibleInstance(context, scope, { id, options }));
  }

  /** Lists a page of instances by age. */
  async list(
    filter: InstanceFilter & PageQuery = {},
    options: CommandOptions = {},
  ): Promise<Page<MCPServerInstance<TSpec>>> {
    refuseUnknownOptions('instances.list()', filter, [...filterFields, ...pageOptions]);
    refuseUnknownOptions('instances.list()', options, commandOptions);
    const { limit = 100, cursor } = filter;
    const page = await this.#page(filter, { limit, cursor }, options);
    const items = await Promise.all(page.items.map((record) => this.#asSeen(record)));
    return { items, nextCursor: page.nextCursor };
  }

  /** Every instance by age, read page by page as it is iterated. */
  async *all(
    filter: InstanceFilter = {},
    options: CommandOptions = {},
  ): AsyncGenerator<MCPServerInstance<TSpec>, void> {
    refuseUnknownOptions('instances.all()', filter, filterFields);
    refuseUnknownOptions('instances.all()', options, commandOptions);
    for await (const record of this.#records(filter, options)) yield await this.#asSeen(record);
  }

  async count(filter: InstanceFilter = {}, options: CommandOptions = {}): Promise<number> {
    refuseUnknownOptions('instances.count()', filter, filterFields);
    refuseUnknownOptions('instances.count()', options, commandOptions);
    return this.#parts.context.store.instances.count(this.#query(filter), { signal: options.signal });
  }

  /** Wants it to run; one that failed is tried again at once. @throws `NOT_FOUND`, `INSTANCE_DELETED` */
  async start(id: string, options: WaitableCommandOptions = {}): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.start()', options, waitableOptions);
    return this.#answer(await this.#parts.commands.setDesiredState(id, 'running', options), options);
  }

  /** Wants it stopped; it stays so, also over restarts of the host. @throws `NOT_FOUND`, `INSTANCE_DELETED` */
  async stop(id: string, options: WaitableCommandOptions = {}): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.stop()', options, waitableOptions);
    return this.#answer(await this.#parts.commands.setDesiredState(id, 'stopped', options), options);
  }

  /** Ends the copy and makes a new one, secrets resolved anew. @throws `NOT_FOUND`, `INSTANCE_STOPPED` */
  async restart(id: string, options: WaitableCommandOptions = {}): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.restart()', options, waitableOptions);
    return this.#answer(await this.#parts.commands.restart(id, options), options);
  }

  /**
   * Asks the secret backends now whether they hold other values than the running copies were given, and has those copies
   * replaced as by an update; done by itself every `secretRotationCheckMs`.
   *
   * @param id - one instance; all of them, where it is left out
   * @returns the ids of those that are replaced
   * @throws `NOT_FOUND`; `SECRET_STORE_REQUIRED` where nothing can be noticed; once all were asked, the first error of a
   * backend that could not tell, and what it was asked about stays as it is
   */
  async checkSecrets(id?: string, options: CommandOptions = {}): Promise<readonly string[]> {
    refuseUnknownOptions('instances.checkSecrets()', options, commandOptions);
    const { SecretRotation } = await import('../secrets/secret-rotation.js');
    const { context, scope, secrets } = this.#parts;
    const rotation = new SecretRotation({ context, secrets });
    const { actor, signal } = options;
    if (id !== undefined) {
      const record = await visibleInstance(context, scope, { id, options });
      return (await rotation.check(record, { actor, signal })) ? [id] : [];
    }
    const rotated: string[] = [];
    const failures: unknown[] = [];
    for await (const record of this.#records({}, options)) {
      const changed = rotation.check(record, { actor, signal });
      if (await changed.catch((error: unknown) => void failures.push(error))) rotated.push(record.id);
    }
    if (failures.length > 0) throw failures[0];
    return rotated;
  }

  /**
   * Waits for a status, or until a condition holds.
   *
   * @throws `ABORTED` by the signal, with the last state in the details; `INSTANCE_DELETED`
   */
  async waitFor(
    id: string,
    condition: InstanceStatus | ((instance: MCPServerInstance<TSpec>) => boolean),
    options: CommandOptions = {},
  ): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.waitFor()', options, commandOptions);
    const met =
      typeof condition === 'string' ? condition : (record: InstanceRecord) => condition(this.#shown(record));
    return this.#shown(await this.#parts.waiter.until(id, met, options));
  }

  /**
   * Waits until it is `running` as last wanted, through retries; rejects at once when it failed for good, is stopped or
   * deleted. The error carries `statusDetail` and the last log lines.
   */
  async waitUntilReady(id: string, options: CommandOptions = {}): Promise<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.waitUntilReady()', options, commandOptions);
    return this.#shown(await this.#parts.waiter.untilReady(id, options));
  }

  /** Yields it as it is and after every change, until it is deleted or the signal fires. */
  async *watch(id: string, options: CommandOptions = {}): AsyncGenerator<MCPServerInstance<TSpec>> {
    refuseUnknownOptions('instances.watch()', options, commandOptions);
    for await (const record of this.#parts.waiter.follow(id, options)) if (record) yield this.#shown(record);
  }

  /**
   * Opens an MCP client of its own session over the instance's own transport; close it, or hold it with `await using`.
   *
   * During an update it stays with the copy it is connected to, which serves on for up to `lifecycle.drain_timeout` after
   * the switch. Then, and when the copy ends by itself, the client is closed: its `onclose` is called, and what is called
   * on it afterwards rejects. Connect again for the copy that is routed now.
   *
   * @throws as `callTool`
   */
  async connect(id: string, options: ConnectClientOptions = {}): Promise<ConnectedClient> {
    return this.#parts.sessions.connect(id, options);
  }

  /** The tools as the last handshake told them, also while it is stopped. */
  async tools(id: string, options: CommandOptions = {}): Promise<readonly ToolDescription[]> {
    refuseUnknownOptions('instances.tools()', options, commandOptions);
    return this.#parts.sessions.tools(id, options);
  }

  /**
   * Calls a tool on a pooled session of the copy that is routed. An error the tool itself answers is a result with
   * `isError`.
   *
   * An instance that sleeps, is starting, or failed with a try that is due in time is waited for, up to `wakeTimeoutMs`. A
   * call that the server had got when it went away is never repeated.
   *
   * @throws `OUTCOME_UNKNOWN` for such a call; `INSTANCE_NOT_READY` with the reason and the next try; `INSTANCE_STOPPED`,
   * `INSTANCE_DELETED`, `NOT_FOUND`; `REQUEST_TIMEOUT`; `INVALID_ARGUMENT` for an unknown option
   */
  async callTool(
    id: string,
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallToolOptions = {},
  ): Promise<ToolCallResult> {
    return this.#parts.sessions.callTool(id, { name, arguments: args }, options);
  }

  /** What the server wrote, oldest first. @throws `CAPABILITY_UNSUPPORTED`, `NOT_OWNER` */
  logs(id: string, query: LogQuery = {}, options: CommandOptions = {}): AsyncGenerator<LogLine> {
    return this.#parts.sessions.logs(id, query, options);
  }

  /**
   * Writes the configuration by which a client such as Claude, Cursor or VS Code reaches it at the gateway.
   *
   * @throws `NOT_FOUND`; `INVALID_OPTIONS` where the infra was given no `gatewayUrl`
   */
  async clientConfig(id: string, options: ClientConfigOptions = {}): Promise<ClientConfig> {
    refuseUnknownOptions('instances.clientConfig()', options, [...commandOptions, 'format', 'headers']);
    const { clientConfigOf } = await import('./client-config.js');
    const { context, scope } = this.#parts;
    const record = await visibleInstance(context, scope, { id, options });
    return clientConfigOf(record, options, context.settings.gatewayUrl);
  }

  /** Says what is wrong with an input, every fault at once, without side effects. */
  async validate(input: unknown, options: CommandOptions = {}): Promise<ValidationResult> {
    refuseUnknownOptions('instances.validate()', options, commandOptions);
    return (await this.#planner()).validate(input, options);
  }

  /** Says what a create or an update would do, without side effects. */
  async plan(
    what: { readonly create: unknown } | { readonly update: string; readonly patch: MCPServerInstancePatch },
    options: CommandOptions = {},
  ): Promise<InstancePlan> {
    refuseUnknownOptions('instances.plan()', options, commandOptions);
    const { context, scope } = this.#parts;
    const planner = await this.#planner();
    if ('create' in what) return planner.planCreate(what.create, options);
    return planner.planUpdate(
      await visibleInstance(context, scope, { id: what.update, options }),
      what.patch,
    );
  }

  async #planner() {
    const { InstancePlanner } = await import('./instance-plan.js');
    return new InstancePlanner(this.#parts, this.#parts.scope);
  }

  #page(
    filter: InstanceFilter,
    page: { readonly limit: number; readonly cursor: string | undefined },
    { signal }: CommandOptions,
  ): Promise<Page<InstanceRecord>> {
    return this.#parts.context.store.instances.list({ ...this.#query(filter), ...page }, { signal });
  }

  #records(filter: InstanceFilter, options: CommandOptions): AsyncGenerator<InstanceRecord, void> {
    return rowsOfPages((cursor) => this.#page(filter, { limit: 500, cursor }, options));
  }

  #query(filter: InstanceFilter) {
    const { name, slug, labels, tags, type, serverSpecId } = filter;
    const status = typeof filter.status === 'string' ? [filter.status] : filter.status;
    return { name, slug, labels, tags, type, serverSpecId, status, tenant: this.#parts.scope ?? undefined };
  }

  async #answer(written: InstanceRecord, options: WaitableCommandOptions): Promise<MCPServerInstance<TSpec>> {
    if (options.wait !== true) return this.#asSeen(written);
    return this.#shown(await this.#parts.waiter.untilTrue(written, options));
  }

  async #asSeen(record: InstanceRecord): Promise<MCPServerInstance<TSpec>> {
    return this.#shown(await this.#parts.sightings.asSeen(record));
  }

  #shown(record: InstanceRecord): MCPServerInstance<TSpec> {
    return toInstance(record) as MCPServerInstance<TSpec>;
  }
}
