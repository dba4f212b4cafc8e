import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { CallOptions } from '../../ports/common.js';
import type { PeerCopy, PeerHost, PeerLogs, PeerSession } from '../../ports/peer-link.js';
import type { LogLine, LogQuery } from '../../ports/provider.js';
import { copyRef, type LinkRegistry } from './link-registry.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { ServiceContext } from '../context/service-context.js';
import type { Ownership } from '../context/ownership.js';

/** What this process owns, for its own callers and for its peers. */
export class OwnedCopies implements PeerHost {
  readonly #context: ServiceContext;
  readonly #links: LinkRegistry;
  readonly #secrets: SecretSource;
  readonly #ownership: Ownership;

  constructor(
    context: ServiceContext,
    parts: {
      readonly links: LinkRegistry;
      readonly secrets: SecretSource;
      readonly ownership: Ownership;
    },
  ) {
    this.#context = context;
    this.#links = parts.links;
    this.#secrets = parts.secrets;
    this.#ownership = parts.ownership;
  }

  /** @throws `CAPABILITY_UNSUPPORTED` where the provider of a type keeps no logs */
  assertKeepsLogs(type: string): void {
    if (this.#context.providers.get(type)?.logs) return;
    throw mcpError('CAPABILITY_UNSUPPORTED', `The provider "${type}" keeps no logs.`);
  }

  owns({ id, jsonSpec: { type }, runtime: { placement } }: InstanceRecord): boolean {
    return this.#ownership.fence({ id, type, placement }) !== null;
  }

  /** Whether an instance that nobody owns may become this process's. */
  mayOwn({ jsonSpec: { type }, runtime: { placement } }: InstanceRecord): boolean {
    return placement !== null && this.#ownership.placement(type) === placement;
  }

  /**
   * Why nobody owns an instance that this process could own; `undefined` where it does or may not, and where it only has
   * not taken the lease yet.
   */
  away(record: InstanceRecord): MCPInfraError | undefined {
    if (this.owns(record) || !this.mayOwn(record)) return undefined;
    const why = this.#ownership.away();
    return (
      why &&
      mcpError(
        'STORE_FAILED',
        `Nobody owns the instance "${record.name}" at the moment, for this process can take no lease of it: ${why.message}`,
        { cause: why },
      )
    );
  }

  /** The lines a copy wrote, without the secrets it was given; none where its provider keeps none. */
  async *linesOf(
    record: InstanceRecord,
    copy: Copy,
    { query, ...options }: CallOptions & { readonly query: LogQuery },
  ): AsyncGenerator<LogLine> {
    const provider = this.#context.providers.get(copy.spec.type);
    // Another process may have started it.
    await this.#secrets.know(record, copy, options);
    for await (const line of provider?.logs?.(copyRef(record, copy), query, options) ?? []) {
      yield { ...line, text: this.#secrets.scrub(record.id, line.text) };
    }
  }

  async openSession({ instanceId, revision }: PeerCopy, options: CallOptions = {}): Promise<PeerSession> {
    const record = await this.#mine(instanceId, options);
    const { active } = record.runtime;
    // One that is being replaced serves those who still know it.
    const link =
      active?.revision === revision ? this.#links.of(record, active) : this.#links.get(instanceId, revision);
    if (!link) {
      throw mcpError(
        'INSTANCE_NOT_READY',
        `The instance "${record.name}" no longer has the revision ${String(revision)}; call again.`,
      );
    }
    if (active) await this.#secrets.know(record, active, options);
    const transport = await link.openSession(options).catch((error: unknown) => {
      throw this.#secrets.scrubError(instanceId, error);
    });
    return { transport, scrub: (text) => this.#secrets.scrub(instanceId, text) };
  }

  async logs({ instanceId, query }: PeerLogs, options: CallOptions = {}): Promise<AsyncIterable<LogLine>> {
    const record = await this.#mine(instanceId, options);
    this.assertKeepsLogs(record.jsonSpec.type);
    const { active } = record.runtime;
    if (active) return this.linesOf(record, active, { ...options, query });
    throw mcpError('INSTANCE_NOT_READY', `The instance "${record.name}" has no copy that writes logs.`);
  }

  async #mine(id: string, options: CallOptions): Promise<InstanceRecord> {
    const record = await this.#context.store.instances.get(id, options);
    if (record && this.owns(record)) return record;
    throw mcpError('NOT_OWNER', `This process does not own the instance ${JSON.stringify(id)}.`);
  }
}
