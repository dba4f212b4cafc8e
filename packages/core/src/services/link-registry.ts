import { resolveHealthCheck } from '../domain/json-spec/health-check.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../domain/instance/instance-record.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { MCPLink, ProbeRequest } from '../ports/mcp-link.js';
import type { CopyRef } from '../ports/provider.js';
import type { SecretSource } from './secret-source.js';
import type { ServiceContext } from './service-context.js';

/** The links of this process: one for each copy, shared by probes, clients and calls. */
export class LinkRegistry {
  readonly #context: ServiceContext;
  readonly #secrets: SecretSource;
  readonly #links = new Map<string, MCPLink>();
  readonly #toolsChanged: (instanceId: string) => void;

  constructor(context: ServiceContext, secrets: SecretSource, toolsChanged: (instanceId: string) => void) {
    this.#context = context;
    this.#secrets = secrets;
    this.#toolsChanged = toolsChanged;
  }

  /** The link to a copy, made when it is first asked for. */
  of(record: InstanceRecord, copy: Copy): MCPLink {
    const key = linkKey(record.id, copy.revision);
    const known = this.#links.get(key);
    if (known) return known;
    const { id, runtime } = record;
    const spec = copy.spec;
    const provider = this.#context.providers.get(spec.type);
    if (!provider) throw mcpError('INVALID_SPEC', `No provider of this host runs the type "${spec.type}".`);
    const link = this.#context.links.open({
      instanceId: id,
      revision: copy.revision,
      dial: (options) =>
        provider.dial(
          { copy: copyRef(record, copy), spec, secrets: () => this.#secrets.resolve(record, spec, options) },
          options,
        ),
      protocolEra: spec.protocol_era ?? (isStdio(spec) ? 'legacy' : 'auto'),
      callTimeoutMs: this.#context.settings.callTimeoutMs,
      known: runtime.handshake,
    });
    link.onToolsChanged(() => {
      this.#toolsChanged(id);
    });
    this.#links.set(key, link);
    return link;
  }

  /** The link to a copy, where there is one. */
  get(instanceId: string, revision: number): MCPLink | undefined {
    return this.#links.get(linkKey(instanceId, revision));
  }

  /** Ends the link to a copy. */
  async drop(instanceId: string, revision: number): Promise<void> {
    const key = linkKey(instanceId, revision);
    const link = this.#links.get(key);
    this.#links.delete(key);
    await link?.close();
  }

  /** Waits until no call is in flight on a copy, at most for `graceMs`. */
  async drain(instanceId: string, revision: number, signal: AbortSignal): Promise<void> {
    await this.get(instanceId, revision)
      ?.drained({ signal })
      .catch(() => undefined);
  }

  /** Waits until no call is in flight on any copy, or until the signal fires. */
  async drainAll(signal: AbortSignal): Promise<void> {
    await Promise.allSettled([...this.#links.values()].map((link) => link.drained({ signal })));
  }

  async closeAll(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }
}

/** How a provider knows a copy. */
export function copyRef(record: Pick<InstanceRecord, 'id' | 'slug'>, copy: Pick<Copy, 'revision'>): CopyRef {
  return { instanceId: record.id, slug: record.slug, revision: copy.revision };
}

/** Whether a server is spoken to over its standard streams. */
export function isStdio(spec: JsonSpec): boolean {
  return (
    spec.transport === 'stdio' ||
    (spec.transport === undefined && spec.port === undefined && spec.type !== 'url')
  );
}

/** How a copy is to be probed, but for whether to list its tools. */
export function probeOf(spec: JsonSpec): Omit<ProbeRequest, 'listTools'> {
  const { type, path, canaryTool, timeout } = resolveHealthCheck(spec);
  const canary = canaryTool === null ? {} : { canary_tool: canaryTool };
  return { check: { type, path, ...canary }, timeoutMs: timeout * 1_000 };
}

function linkKey(instanceId: string, revision: number): string {
  return `${instanceId}/${String(revision)}`;
}
