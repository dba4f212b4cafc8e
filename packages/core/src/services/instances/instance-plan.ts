import { hasCode } from '../../domain/errors/has-code.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { pointer, type Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord, PinnedServer } from '../../domain/instance/instance-record.js';
import { isServing, type MCPServerInstance } from '../../domain/instance/mcp-server-instance.js';
import { applyMergePatch, patchSpec } from '../../domain/json-spec/merge-spec.js';
import { tenantOf, visibleServer, type Scope } from '../context/access.js';
import { pinServer } from '../context/move-to-definition.js';
import { isObject } from '../../domain/is-object.js';
import type { MCPServerInstanceInput, MCPServerInstancePatch } from './instance-input.js';
import { versionsIn } from '../secrets/own-versions.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { WriteParts } from '../secrets/secret-writes.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import { buildRunDocument, runHash } from '../context/run-document.js';
import { forbiddenReferences, type SecretOwner } from '../context/scope-access.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** What is wrong with a document; nothing when it is valid. */
export interface ValidationResult {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  /** Variables given in clear that would be moved to the secret store. */
  readonly secretsInClear: readonly string[];
}

/** What a command would do. */
export interface InstancePlan extends ValidationResult {
  /**
   * `create` a new instance, `replace` the running copy (start, probe, switch), `record` a change that needs no new copy,
   * `start-later` with a copy that does not run now, or `none`.
   */
  readonly effect: 'create' | 'replace' | 'record' | 'start-later' | 'none';
  /** What of the document changes. */
  readonly changes: readonly { readonly path: string; readonly kind: 'added' | 'removed' | 'changed' }[];
}

/** Says what is wrong with a document and what a command would do; neither has a side effect. */
export class InstancePlanner {
  readonly #context: ServiceContext;
  readonly #scope: Scope;
  readonly #secrets: SecretSource;

  constructor({ context, secrets }: WriteParts, scope: Scope) {
    this.#context = context;
    this.#secrets = secrets;
    this.#scope = scope;
  }

  /** @param planned - the definition it would be made of, where that is not there yet */
  async validate(
    input: unknown,
    options: CommandOptions,
    planned: PinnedServer | null = null,
  ): Promise<ValidationResult> {
    const { checkInstanceInput } = await import('./instance-input.js');
    const { value, issues } = checkInstanceInput(input);
    const found: Issue[] = [...issues];
    let pinned = planned;
    if (value.serverSpecId !== null) {
      try {
        const server = await visibleServer(this.#context, this.#scope, {
          id: value.serverSpecId,
          change: false,
          options,
        });
        pinned = pinServer(server);
        if (server.status !== 'active' && server.status !== 'deprecated') {
          const message = `The server "${server.name}" is ${server.status}; instances are made of active ones only.`;
          found.push({ path: '/serverSpecId', code: 'unsupported', message });
        }
      } catch (error) {
        if (!(MCPInfraError.isInstance(error) && error.code === 'NOT_FOUND')) throw error;
        found.push({ path: '/serverSpecId', code: 'not_a_choice', message: error.message });
      }
    }
    const taken = await this.#isTaken(value.name, options);
    if (taken)
      found.push({
        path: '/name',
        code: 'conflict',
        message: `There is an instance named ${JSON.stringify(value.name)} already.`,
      });
    found.push(...(await this.#overLimit(options)));
    if (value.jsonSpec === undefined) return { valid: false, issues: found, secretsInClear: [] };
    const owner = { id: value.id ?? '', tenant: tenantOf(this.#scope) };
    return this.#document(value.jsonSpec, { owner, pinned, issues: found });
  }

  async planCreate(input: unknown, options: CommandOptions): Promise<InstancePlan> {
    const result = await this.validate(input, options);
    return { ...result, effect: result.valid ? 'create' : 'none', changes: [] };
  }

  async planUpdate(record: InstanceRecord, patch: MCPServerInstancePatch): Promise<InstancePlan> {
    const { checkInstancePatch } = await import('./instance-input.js');
    const issues = checkInstancePatch(patch);
    const jsonSpec =
      patch.jsonSpec === undefined ? record.jsonSpec : patchSpec(record.jsonSpec, patch.jsonSpec);
    const { pinned } = record.runtime;
    const checked = await this.#document(jsonSpec, { owner: record, pinned, issues });
    const { wished, ...result } = checked.valid
      ? await this.#kept(record, { jsonSpec, checked })
      : { ...checked, wished: jsonSpec };
    const around = (['labels', 'description'] as const).filter(
      (key) =>
        patch[key] !== undefined &&
        canonicalJson(applyMergePatch(record[key], patch[key])) !== canonicalJson(record[key]),
    );
    const changes = compare(record.jsonSpec, wished);
    if (!result.valid) return { ...result, effect: 'none', changes };
    const { spec } = await buildRunDocument(this.#context, pinned, wished);
    const sameRun = spec !== null && runHash(spec, record.runtime) === record.runtime.active?.runHash;
    if (changes.length === 0) return { ...result, effect: around.length > 0 ? 'record' : 'none', changes };
    if (sameRun) return { ...result, effect: 'record', changes };
    return { ...result, effect: isServing(record) ? 'replace' : 'start-later', changes };
  }

  /** Tells whether an instance is as an input wants it; a secret in clear that it keeps already is no difference. */
  async isSo(
    instance: MCPServerInstance,
    wanted: MCPServerInstanceInput,
    options: CommandOptions,
  ): Promise<boolean> {
    const record = await this.#context.store.instances.get(instance.id, { signal: options.signal });
    if (!record) return false;
    const jsonSpec = await this.#asKept(record, wanted.jsonSpec);
    const { labels = {}, description = '', desiredState = 'running' } = wanted;
    return (
      canonicalJson([instance.jsonSpec, instance.labels, instance.description, instance.desiredState]) ===
      canonicalJson([jsonSpec, labels, description, desiredState])
    );
  }

  /** What was checked, and the document as an update would have it. */
  async #kept(
    record: InstanceRecord,
    { jsonSpec, checked }: { readonly jsonSpec: unknown; readonly checked: ValidationResult },
  ): Promise<ValidationResult & { readonly wished: unknown }> {
    try {
      return { ...checked, wished: await this.#asKept(record, jsonSpec) };
    } catch (error) {
      if (!hasCode(error, 'INVALID_SPEC')) throw error;
      const issues = error.details['issues'] as readonly Issue[];
      return { ...checked, valid: false, issues, wished: jsonSpec };
    }
  }

  /** The document as an update would have it, values that the instance keeps already by their references. */
  async #asKept(record: InstanceRecord, jsonSpec: unknown): Promise<unknown> {
    // Without such a value there is nothing to compare with, and no key to compare by.
    if (versionsIn(record.id, record.jsonSpec).size === 0) return jsonSpec;
    const [{ admitDocument }, { SecretWrites }] = await Promise.all([
      import('./instance-admission.js'),
      import('../secrets/secret-writes.js'),
    ]);
    const writes = new SecretWrites({ context: this.#context, secrets: this.#secrets });
    const admitted = await admitDocument(this.#context, {
      ...{ owner: record, jsonSpec, pinned: record.runtime.pinned },
      ...{ issues: [], before: record.jsonSpec, writes },
    });
    return admitted.jsonSpec;
  }

  async #document(
    jsonSpec: unknown,
    {
      owner,
      pinned,
      issues,
    }: {
      readonly owner: SecretOwner;
      readonly pinned: PinnedServer | null;
      readonly issues: readonly Issue[];
    },
  ): Promise<ValidationResult> {
    const document = await buildRunDocument(this.#context, pinned, jsonSpec);
    const { spec } = document;
    const found = [...document.issues, ...(spec ? forbiddenReferences(this.#context, owner, spec) : [])];
    const all = [...issues, ...found.map((issue) => ({ ...issue, path: `/jsonSpec${issue.path}` }))];
    return { valid: all.length === 0, issues: all, secretsInClear: document.secretsInClear };
  }

  async #isTaken(name: string, options: CommandOptions): Promise<boolean> {
    if (name === '') return false;
    const query = { tenant: tenantOf(this.#scope), name, limit: 1 };
    return (await this.#context.store.instances.list(query, { signal: options.signal })).items.length > 0;
  }

  async #overLimit(options: CommandOptions): Promise<Issue[]> {
    const { maxInstances, maxInstancesPerTenant } = this.#context.settings.limits;
    const counters: [string, number | null, string][] = [
      ['instances', maxInstances, 'maxInstances'],
      [`instances/${tenantOf(this.#scope)}`, maxInstancesPerTenant, 'maxInstancesPerTenant'],
    ];
    const issues: Issue[] = [];
    for (const [name, max, option] of counters) {
      if (max === null) continue;
      const count = await this.#context.store.counters.get(name, { signal: options.signal });
      if (count >= max) {
        issues.push({
          path: '',
          code: 'over_limit',
          message: `There are ${String(count)} instances; limits.${option} is ${String(max)}.`,
        });
      }
    }
    return issues;
  }
}

function compare(before: unknown, after: unknown, at = ''): InstancePlan['changes'][number][] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (!isObject(before) || !isObject(after)) {
    return [{ path: at, kind: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed' }];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => compare(before[key], after[key], at + pointer(key)));
}
