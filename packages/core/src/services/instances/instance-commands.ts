import { hasCode } from '../../domain/errors/has-code.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { invalidSpec } from '../../domain/errors/issue.js';
import { isAsleep, type InstanceRecord } from '../../domain/instance/instance-record.js';
import type { DesiredState } from '../../domain/instance/mcp-server-instance.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { applyMergePatch, patchSpec } from '../../domain/json-spec/merge-spec.js';
import { refuseDeleted, type Scope } from '../context/access.js';
import { timestamp } from '../context/event-drafts.js';
import { lifecycleMsOf } from '../context/lifecycle-ms.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import { afresh, tryNow } from '../context/try-now.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { SecretWrites, WriteParts } from '../secrets/secret-writes.js';
import type { MCPServerInstanceInput, MCPServerInstancePatch } from './instance-input.js';
import type { DocumentWish } from './replace-document.js';
import { WishWriter } from './wish-writer.js';

/** Options of an update. */
export interface InstanceUpdateOptions extends CommandOptions {
  /** Refuse with `CONFLICT` unless the instance has this version. */
  readonly ifResourceVersion?: number | undefined;
}

/** The commands on instances: each writes a wish and its event in one transaction and wakes the worker. */
export class InstanceCommands {
  readonly #context: ServiceContext;
  readonly #secrets: SecretSource;
  readonly #scope: Scope;
  readonly #wishes: WishWriter;

  constructor({ context, secrets }: WriteParts, scope: Scope) {
    this.#context = context;
    this.#secrets = secrets;
    this.#scope = scope;
    this.#wishes = new WishWriter(context, scope);
  }

  async create(input: MCPServerInstanceInput<unknown>, options: CommandOptions): Promise<InstanceRecord> {
    const { createInstance } = await import('./create-instance.js');
    return this.#keepingSecrets((writes) => {
      const parts = { context: this.#context, scope: this.#scope, wishes: this.#wishes, writes };
      return createInstance(parts, input, options);
    });
  }

  async update(
    id: string,
    patch: MCPServerInstancePatch<unknown>,
    options: InstanceUpdateOptions,
  ): Promise<InstanceRecord> {
    const { checkInstancePatch } = await import('./instance-input.js');
    const issues = checkInstancePatch(patch);
    if (issues.length > 0) throw invalidSpec('The update', issues);
    return this.#replace(id, options, (record) => {
      const { ifResourceVersion } = options;
      if (ifResourceVersion !== undefined && ifResourceVersion !== record.resourceVersion) {
        const message = `The instance "${record.name}" has the resourceVersion ${String(record.resourceVersion)}, not ${String(ifResourceVersion)}.`;
        throw mcpError('CONFLICT', message);
      }
      const jsonSpec =
        patch.jsonSpec === undefined ? record.jsonSpec : patchSpec(record.jsonSpec, patch.jsonSpec);
      const labels = applyMergePatch(record.labels, patch.labels ?? {}) as Record<string, string>;
      return { jsonSpec, labels, description: patch.description };
    });
  }

  /** Makes an instance like an input whose server has been admitted already. */
  async becomeLike(id: string, wish: DocumentWish, options: CommandOptions): Promise<InstanceRecord> {
    return this.#replace(id, options, () => wish);
  }

  async setDesiredState(
    id: string,
    desiredState: DesiredState,
    options: CommandOptions,
  ): Promise<InstanceRecord> {
    const type = desiredState === 'running' ? 'MCPServerInstanceStarted' : 'MCPServerInstanceStopped';
    return this.#wishes.change(id, options, (record) => {
      refuseDeleted(record);
      const isSo = record.desiredState === desiredState;
      const starts = desiredState === 'running';
      // A start of something that failed or sleeps asks for a try now, though it was wanted all along.
      const triesNow = starts && (record.status === 'failed' || isAsleep(record));
      if (isSo && !triesNow) return null;
      return {
        facts: [{ kind: starts ? 'run-wanted' : 'stop-wanted' }],
        fields: { desiredState, generation: record.generation + 1 },
        // From the stop on its copy counts as ended: a start that follows makes a new one, however soon it comes.
        runtime: { ...this.#wanted(record), ...afresh, ...(starts ? {} : { renew: true }) },
        events: (next) => [this.#wishes.event(type, next, options)],
      };
    });
  }

  async restart(id: string, options: CommandOptions): Promise<InstanceRecord> {
    return this.#wishes.change(id, options, (record) => {
      refuseDeleted(record);
      if (record.desiredState === 'stopped') {
        const message = `The instance "${record.name}" is stopped: start() it instead of restart().`;
        throw mcpError('INSTANCE_STOPPED', message);
      }
      return {
        facts: isAsleep(record) ? [{ kind: 'run-wanted' }] : tryNow(record),
        fields: { generation: record.generation + 1 },
        runtime: { ...this.#wanted(record), renew: true, ...afresh },
        events: (next) => [this.#wishes.event('MCPServerInstanceStarted', next, options)],
      };
    });
  }

  /** Writes the wish to delete. Returns `null` when there is nothing to delete. */
  async delete(id: string, options: CommandOptions): Promise<InstanceRecord | null> {
    const record = await this.#context.store.instances.get(id, { signal: options.signal });
    if (!record || (this.#scope !== null && record.tenant !== this.#scope)) return null;
    try {
      return await this.#wishes.change(id, options, (current) =>
        current.runtime.deleteRequestedAt === null
          ? {
              facts: [{ kind: 'delete-wanted' }],
              runtime: { deleteRequestedAt: timestamp(this.#context) },
              fields: { generation: current.generation + 1 },
              events: (next) => [this.#wishes.event('MCPServerInstanceDeleted', next, options)],
            }
          : null,
      );
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }

  /** Changes variables of an instance's document; used by the EnvironmentService. */
  async changeDocument(
    id: string,
    options: CommandOptions,
    edit: (jsonSpec: JsonSpec) => DocumentWish,
  ): Promise<InstanceRecord> {
    return this.#replace(id, options, ({ jsonSpec }) => edit(jsonSpec));
  }

  /** Writes what is wished of a document, its secrets before it. */
  async #replace(
    id: string,
    options: CommandOptions,
    wishOf: (record: InstanceRecord) => DocumentWish,
  ): Promise<InstanceRecord> {
    const { replaceDocument } = await import('./replace-document.js');
    return this.#keepingSecrets((writes) => {
      const parts = { context: this.#context, wishes: this.#wishes, writes };
      return this.#wishes.change(id, options, (record) =>
        replaceDocument(parts, { ...wishOf(record), record }, options),
      );
    });
  }

  /** Loads with the first command, not with the package. */
  async #keepingSecrets(work: (writes: SecretWrites) => Promise<InstanceRecord>): Promise<InstanceRecord> {
    const { keepingSecrets } = await import('../secrets/secret-writes.js');
    return keepingSecrets({ context: this.#context, secrets: this.#secrets }, work);
  }

  #wanted(record: InstanceRecord): { readonly wantedUntil: string } {
    const { idleTimeoutMs } = lifecycleMsOf(record);
    return { wantedUntil: timestamp(this.#context, idleTimeoutMs) };
  }
}
