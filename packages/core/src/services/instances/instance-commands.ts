import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { invalidSpec } from '../../domain/errors/issue.js';
import type { EventDraft } from '../../domain/events/event.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { DesiredState } from '../../domain/instance/mcp-server-instance.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { formatSecretReference, type SecretReference } from '../../domain/secrets/secret-reference.js';
import { applyMergePatch, patchSpec } from '../../domain/json-spec/merge-spec.js';
import { newId, partOf, refuseDeleted, tenantOf, visibleInstance, type Scope } from '../context/access.js';
import {
  draftEvent,
  instanceOrigin,
  instanceWish,
  secretsRotated,
  timestamp,
} from '../context/event-drafts.js';
import { admitDocument, makeSlug, secretScopeOf, storeSecrets } from './instance-admission.js';
import { admitServer } from '../servers/admit-server.js';
import { instanceCounters } from '../context/instance-counters.js';
import type { MCPServerInstanceInput, MCPServerInstancePatch } from './instance-input.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { newInstanceRecord } from './new-instance-record.js';
import { changeInstance, type InstanceChange } from '../context/instance-writer.js';
import { canonicalJson } from '../context/run-document.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** Options of an update. */
export interface InstanceUpdateOptions extends CommandOptions {
  /** Refuse with `CONFLICT` unless the instance has this version. */
  readonly ifResourceVersion?: number | undefined;
}

type WishEvent = Extract<
  keyof EventMap,
  `MCPServerInstance${'Created' | 'Updated' | 'Started' | 'Stopped' | 'Deleted'}`
>;

/** The commands on instances: each writes a wish and its event in one transaction and wakes the worker. */
export class InstanceCommands {
  readonly #context: ServiceContext;
  readonly #scope: Scope;

  constructor(context: ServiceContext, scope: Scope) {
    this.#context = context;
    this.#scope = scope;
  }

  async create(input: MCPServerInstanceInput<unknown>, options: CommandOptions): Promise<InstanceRecord> {
    const { store } = this.#context;
    const { checkInstanceInput } = await inputChecks();
    const { value, issues } = checkInstanceInput(input);
    const key = options.idempotencyKey;
    const id = value.id ?? newId(this.#scope, 'instance', key);
    if (key !== undefined || value.id !== null) {
      const earlier = await store.instances.get(id, { signal: options.signal });
      if (earlier) return this.#repeated(earlier, value.id, key);
    }
    const pinned =
      value.serverSpecId === null
        ? null
        : await admitServer(this.#context, this.#scope, { id: value.serverSpecId, options });
    const admitted = await admitDocument(this.#context, {
      instanceId: id,
      jsonSpec: value.jsonSpec,
      pinned,
      issues,
    });
    const tenant = tenantOf(this.#scope);
    const record = newInstanceRecord(this.#context, {
      id,
      tenant,
      slug: makeSlug(value.name),
      input: value,
      admitted,
      options,
    });
    await storeSecrets(this.#context, admitted.secrets, options);
    try {
      const effects = {
        events: [this.#event('MCPServerInstanceCreated', record, options)],
        counters: instanceCounters(this.#context, tenant, 1),
      };
      const created = await store.createInstance(record, effects, { signal: options.signal });
      this.#context.committed();
      this.#context.wake(id, 'hint');
      return created;
    } catch (error) {
      // Another call with the same key or id was faster; its row needs the secrets, which are the same.
      const earlier = key === undefined && value.id === null ? null : await store.instances.get(id);
      if (earlier) return this.#repeated(earlier, value.id, key);
      // Nothing was made: the values moved out of the document must not stay behind.
      if (admitted.secrets.length > 0) await this.#context.secretStore?.deleteScope(secretScopeOf(id));
      throw error;
    }
  }

  /** What a create answers whose row is there already. @throws `ALREADY_EXISTS` unless the same call made it */
  #repeated(earlier: InstanceRecord, id: string | null, key: string | undefined): InstanceRecord {
    if (id === null || (key !== undefined && earlier.runtime.appliedKeys.includes(key))) return earlier;
    throw mcpError('ALREADY_EXISTS', `An instance with the id ${id} exists already.`, {
      details: { field: 'id' },
    });
  }

  async ensure(input: MCPServerInstanceInput<unknown>, options: CommandOptions): Promise<InstanceRecord> {
    const { checkInstanceInput } = await inputChecks();
    const { value, issues } = checkInstanceInput(input);
    if (issues.length > 0) throw invalidSpec('The instance', issues);
    for (let attempt = 1; ; attempt++) {
      const existing = await this.byName(value.name, options);
      if (existing && existing.status !== 'deleting') return this.#converge(existing, input, options);
      try {
        return await this.create(input, options);
      } catch (error) {
        // Another process created it between the look and the insert: look again.
        const raced = MCPInfraError.isInstance(error) && error.code === 'ALREADY_EXISTS';
        if (!raced || attempt >= 3) throw error;
      }
    }
  }

  async update(
    id: string,
    patch: MCPServerInstancePatch,
    options: InstanceUpdateOptions,
  ): Promise<InstanceRecord> {
    const { checkInstancePatch } = await inputChecks();
    const issues = checkInstancePatch(patch);
    if (issues.length > 0) throw invalidSpec('The update', issues);
    return this.#change(id, options, async (record) => {
      const { ifResourceVersion } = options;
      if (ifResourceVersion !== undefined && ifResourceVersion !== record.resourceVersion) {
        const message = `The instance "${record.name}" has the resourceVersion ${String(record.resourceVersion)}, not ${String(ifResourceVersion)}.`;
        throw mcpError('CONFLICT', message);
      }
      const jsonSpec =
        patch.jsonSpec === undefined ? record.jsonSpec : patchSpec(record.jsonSpec, patch.jsonSpec);
      const labels = applyMergePatch(record.labels, patch.labels ?? {}) as Record<string, string>;
      return this.#replaceDocument(
        record,
        { jsonSpec, labels, description: patch.description ?? record.description },
        options,
      );
    });
  }

  async setDesiredState(
    id: string,
    desiredState: DesiredState,
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    const type = desiredState === 'running' ? 'MCPServerInstanceStarted' : 'MCPServerInstanceStopped';
    return this.#change(id, options, (record) => {
      refuseDeleted(record);
      const isSo = record.desiredState === desiredState;
      // A start of something that failed or sleeps asks for a try now, though it was wanted all along.
      const tryNow = desiredState === 'running' && (record.status === 'failed' || record.status === 'idle');
      if (isSo && !tryNow) return null;
      const facts: StatusFact[] =
        desiredState === 'running' ? [{ kind: 'run-wanted' }] : [{ kind: 'stop-wanted' }];
      return {
        facts: record.status === 'stopping' && desiredState === 'running' ? [] : facts,
        fields: { desiredState, generation: record.generation + 1 },
        runtime: { ...this.#wanted(record), failures: 0, refusedGeneration: null },
        events: (next) => [this.#event(type, next, options)],
      };
    });
  }

  async restart(id: string, options: CommandOptions): Promise<InstanceRecord> {
    return this.#change(id, options, (record) => {
      refuseDeleted(record);
      if (record.desiredState === 'stopped') {
        throw mcpError(
          'INSTANCE_STOPPED',
          `The instance "${record.name}" is stopped: start() it instead of restart().`,
        );
      }
      return {
        facts: record.status === 'failed' || record.status === 'idle' ? [{ kind: 'run-wanted' }] : [],
        fields: { generation: record.generation + 1 },
        runtime: { ...this.#wanted(record), renew: true, failures: 0, refusedGeneration: null },
        events: (next) => [this.#event('MCPServerInstanceStarted', next, options)],
      };
    });
  }

  /** Writes the wish to delete. Returns `null` when there is nothing to delete. */
  async delete(id: string, options: CommandOptions): Promise<InstanceRecord | null> {
    const record = await this.#context.store.instances.get(id, { signal: options.signal });
    if (!record || (this.#scope !== null && record.tenant !== this.#scope)) return null;
    try {
      return await this.#change(id, options, (current) =>
        current.runtime.deleteRequestedAt === null
          ? {
              facts: [{ kind: 'delete-wanted' }],
              runtime: { deleteRequestedAt: timestamp(this.#context) },
              fields: { generation: current.generation + 1 },
              events: (next) => [this.#event('MCPServerInstanceDeleted', next, options)],
            }
          : null,
      );
    } catch (error) {
      if (MCPInfraError.isInstance(error) && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** Changes variables of an instance's document; used by the EnvironmentService. */
  async changeDocument(
    id: string,
    options: CommandOptions,
    edit: (jsonSpec: JsonSpec) => JsonSpec,
  ): Promise<InstanceRecord> {
    return this.#change(id, options, (record) =>
      this.#replaceDocument(record, { jsonSpec: edit(record.jsonSpec) }, options),
    );
  }

  /** Makes a variable refer to a secret that was just written, and has it read anew. */
  async useSecret(
    id: string,
    variable: { readonly name: string; readonly reference: SecretReference },
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    const text = formatSecretReference(variable.reference);
    return this.#change(id, options, async (record) => {
      const environment = { ...record.jsonSpec.environment, [variable.name]: text };
      const document = await this.#replaceDocument(
        record,
        { jsonSpec: { ...record.jsonSpec, environment } },
        options,
      );
      const owned = [...new Set([...record.runtime.ownedSecretScopes, variable.reference.scope])];
      return {
        ...document,
        fields: { ...document?.fields, generation: record.generation + 1 },
        runtime: {
          ...document?.runtime,
          ownedSecretScopes: owned,
          ...this.#newValues(record),
          refusedGeneration: null,
        },
        events: (next) => [
          this.#event('MCPServerInstanceUpdated', next, options),
          ...(record.jsonSpec.environment?.[variable.name] === text
            ? [secretsRotated(this.#context, next, options.actor)]
            : []),
        ],
      };
    });
  }

  async byName(name: string, options: CommandOptions): Promise<InstanceRecord | undefined> {
    const query = { tenant: tenantOf(this.#scope), name, limit: 1 };
    const page = await this.#context.store.instances.list(query, { signal: options.signal });
    return page.items[0];
  }

  async #converge(
    existing: InstanceRecord,
    input: MCPServerInstanceInput<unknown>,
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    const { checkInstanceInput } = await inputChecks();
    const { value } = checkInstanceInput(input);
    const { description, labels, jsonSpec, desiredState } = value;
    if (value.id !== null && value.id !== existing.id) {
      const message = `The instance "${existing.name}" has the id ${existing.id}, not ${value.id}; delete it first.`;
      throw mcpError('CONFLICT', message);
    }
    await this.#change(existing.id, options, async (record) => {
      const pinned =
        value.serverSpecId === null
          ? null
          : await admitServer(this.#context, this.#scope, { id: value.serverSpecId, options });
      if (value.serverSpecId !== record.serverSpecId) {
        const message = `The instance "${record.name}" is made of another server (${String(record.serverSpecId)}); delete it first.`;
        throw mcpError('CONFLICT', message);
      }
      const change = await this.#replaceDocument(record, { jsonSpec, labels, description, pinned }, options);
      return change;
    });
    return this.setDesiredState(existing.id, desiredState, partOf(options, 'state'));
  }

  async #replaceDocument(
    record: InstanceRecord,
    to: {
      readonly jsonSpec: unknown;
      readonly labels?: Readonly<Record<string, string>> | undefined;
      readonly description?: string | undefined;
      readonly pinned?: InstanceRecord['runtime']['pinned'] | undefined;
    },
    options: CommandOptions,
  ): Promise<InstanceChange | null> {
    refuseDeleted(record);
    const pinned = to.pinned === undefined ? record.runtime.pinned : to.pinned;
    const labels = to.labels ?? record.labels;
    const description = to.description ?? record.description;
    const { checkInstanceInput } = await inputChecks();
    const { value, issues } = checkInstanceInput({
      name: record.name,
      jsonSpec: to.jsonSpec,
      labels,
      description,
    });
    const wanted = { instance: record, jsonSpec: value.jsonSpec };
    const { withKeptSecrets } = await import('./kept-secrets.js');
    const jsonSpec = await withKeptSecrets(this.#context, wanted, options);
    const request = { instanceId: record.id, jsonSpec, pinned, issues };
    const admitted = await admitDocument(this.#context, request);
    if (admitted.jsonSpec.type !== record.jsonSpec.type) {
      const message = `The type cannot be changed from "${record.jsonSpec.type}"; delete the instance and create it anew.`;
      throw invalidSpec('The update', [{ path: '/jsonSpec/type', code: 'unsupported', message }]);
    }
    const fields = {
      jsonSpec: admitted.jsonSpec,
      labels,
      description,
      serverResourceVersion: pinned?.resourceVersion ?? null,
    };
    const sameDocument =
      admitted.secrets.length === 0 &&
      canonicalJson({ ...fields, pinned }) ===
        canonicalJson({
          jsonSpec: record.jsonSpec,
          labels: record.labels,
          description: record.description,
          serverResourceVersion: record.serverResourceVersion,
          pinned: record.runtime.pinned,
        });
    if (sameDocument) return null;
    await storeSecrets(this.#context, admitted.secrets, options);
    const owned = new Set(record.runtime.ownedSecretScopes);
    for (const { reference } of admitted.secrets) owned.add(reference.scope);
    return {
      // What waits for its next try takes the corrected document at once.
      facts: record.status === 'failed' && record.desiredState === 'running' ? [{ kind: 'run-wanted' }] : [],
      fields: { ...fields, generation: record.generation + 1 },
      // A value written anew under the same reference is not seen in the document.
      runtime: {
        pinned,
        ownedSecretScopes: [...owned],
        refusedGeneration: null,
        failures: 0,
        ...(admitted.secrets.length > 0 ? this.#newValues(record) : {}),
      },
      events: (next) => [this.#event('MCPServerInstanceUpdated', next, options)],
    };
  }

  async #change(
    id: string,
    options: CommandOptions,
    decide: (record: InstanceRecord) => Promise<InstanceChange | null> | InstanceChange | null,
  ): Promise<InstanceRecord> {
    await visibleInstance(this.#context, this.#scope, { id, options });
    const key = options.idempotencyKey;
    const origin = { actor: options.actor, signal: options.signal };
    const written = await changeInstance(this.#context, id, {
      origin,
      decide: async (record) => {
        if (key !== undefined && record.runtime.appliedKeys.includes(key)) return null;
        const change = await decide(record);
        if (!change) return null;
        const appliedKeys =
          key === undefined ? record.runtime.appliedKeys : [...record.runtime.appliedKeys.slice(-15), key];
        const correlationId = key ?? record.runtime.correlationId;
        return { ...change, runtime: { ...change.runtime, appliedKeys, correlationId } };
      },
    });
    this.#context.wake(id, 'wish-changed');
    return written;
  }

  /** What is written with new values; that they are new is known, so it need not be noticed once more. */
  #newValues({ runtime }: InstanceRecord) {
    return { secretsVersion: runtime.secretsVersion + 1, secretFingerprint: null };
  }

  #wanted(record: InstanceRecord): { readonly wantedUntil: string } {
    const { idleTimeoutMs } = lifecycleMs(record.runtime.active?.spec ?? record.jsonSpec);
    return { wantedUntil: timestamp(this.#context, idleTimeoutMs) };
  }

  #event(type: WishEvent, record: InstanceRecord, options: CommandOptions): EventDraft {
    return draftEvent(this.#context, instanceOrigin(record, options.actor), {
      type,
      data: instanceWish(record),
    });
  }
}

/** Loads with the first command, not with the package: it brings zod. */
const inputChecks = () => import('./instance-input.js');
