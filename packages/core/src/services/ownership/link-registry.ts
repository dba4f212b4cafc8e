import { resolveHealthCheck } from '../../domain/json-spec/health-check.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { resolveTransport } from '../../domain/json-spec/resolve-transport.js';
import type { LinkTarget, MCPLink, ProbeRequest } from '../../ports/mcp-link.js';
import type { CopyRef } from '../../ports/provider.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { ServiceContext } from '../context/service-context.js';
import { sleep } from '../../async/sleep.js';

// Less than the margin by which a lease is taken for expired before another process can have it.
const lastCallsMs = 4_000;

/** A link to what this process owns or can reach by itself. */
interface OwnLink {
  readonly link: MCPLink;
  readonly of: { readonly id: string; readonly type: string; readonly placement: string | null };
  readonly spec: JsonSpec;
}

/** The links of this process: one for each copy, shared by probes, clients and calls. */
export class LinkRegistry {
  readonly #context: ServiceContext;
  readonly #secrets: SecretSource;
  readonly #links = new Map<string, OwnLink>();
  readonly #remote = new Map<string, MCPLink>();
  /** Copies that serve only whoever they have. */
  readonly #vacating = new Set<string>();
  readonly #toolsChanged: (instanceId: string) => void;

  constructor(context: ServiceContext, secrets: SecretSource, toolsChanged: (instanceId: string) => void) {
    this.#context = context;
    this.#secrets = secrets;
    this.#toolsChanged = toolsChanged;
  }

  /** How many links there are. */
  get size(): number {
    return this.#links.size + this.#remote.size;
  }

  /** The link to a copy, made when it is first asked for. */
  of(record: InstanceRecord, copy: Copy): MCPLink {
    const key = linkKey(record.id, copy.revision);
    const known = this.#links.get(key);
    if (known) return known.link;
    const { id, runtime } = record;
    const { spec } = copy;
    const provider = this.#context.providers.get(spec.type);
    if (!provider) throw mcpError('INVALID_SPEC', `No provider of this host runs the type "${spec.type}".`);
    const link = this.#open(record, copy, (options) =>
      provider.dial(
        { copy: copyRef(record, copy), spec, secrets: () => this.#secrets.resolve(record, copy, options) },
        options,
      ),
    );
    link.onToolsChanged(() => {
      this.#toolsChanged(id);
    });
    this.#links.set(key, { link, of: { id, type: spec.type, placement: runtime.placement }, spec });
    return link;
  }

  /**
   * The link to a copy through its owner, another process. Apart from our own, because the copy may become ours; known
   * only while it is connected, because nobody tells us when the copy is gone.
   */
  remote(record: InstanceRecord, copy: Copy, dial: LinkTarget['dial']): MCPLink {
    const key = linkKey(record.id, copy.revision);
    const known = this.#remote.get(key);
    if (known) return known;
    let dials = 0;
    const link = this.#open(record, copy, async (options) => {
      dials += 1;
      const dialing = dials;
      const forget = (): void => {
        if (dialing === dials && this.#remote.get(key) === link) this.#remote.delete(key);
      };
      // Forgotten when its connection ended, it is back for those who still hold it.
      if (!this.#remote.has(key)) this.#remote.set(key, link);
      try {
        const dialed = await dial(options);
        if (dialed.kind === 'stdio') dialed.channel.output.once('close', forget);
        return dialed;
      } catch (error) {
        forget();
        throw error;
      }
    });
    this.#remote.set(key, link);
    return link;
  }

  /** The link to a copy, where there is one. */
  get(instanceId: string, revision: number): MCPLink | undefined {
    return this.#links.get(linkKey(instanceId, revision))?.link;
  }

  /** Ends the link to a copy. */
  async drop(instanceId: string, revision: number): Promise<void> {
    const key = linkKey(instanceId, revision);
    const known = this.#links.get(key);
    this.#links.delete(key);
    await known?.link.close();
  }

  /** Lets go of the standard streams of every copy that another process may soon own, and lets calls end before. */
  async dropLost(owns: (of: OwnLink['of']) => boolean): Promise<void> {
    const isLost = ({ of, spec }: OwnLink): boolean => isStdio(spec) && !owns(of);
    const letGo = async (key: string, known: OwnLink): Promise<void> => {
      const over = new AbortController();
      const timeUp = sleep(this.#context.clock, lastCallsMs, over.signal);
      await Promise.race([timeUp, known.link.drained({ signal: over.signal }).catch(() => undefined)]);
      over.abort();
      if (this.#links.get(key) !== known || !isLost(known)) return;
      this.#links.delete(key);
      await known.link.close();
    };
    const lost = [...this.#links].filter(([, known]) => isLost(known));
    await Promise.all(lost.map(([key, known]) => letGo(key, known)));
  }

  /** Whether a copy serves on only for the clients it has. */
  isVacating(instanceId: string, revision: number): boolean {
    return this.#vacating.has(linkKey(instanceId, revision));
  }

  /**
   * Lets the clients of a copy stay until they close, for a time or until the signal fires, and ends its link. Calls in
   * flight are then ended, too.
   */
  async vacate(
    instanceId: string,
    revision: number,
    { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const key = linkKey(instanceId, revision);
    this.#vacating.add(key);
    try {
      const over = new AbortController();
      const timeUp = sleep(this.#context.clock, withinMs, signal, over.signal);
      const vacated = this.get(instanceId, revision)?.vacated({ signal: over.signal });
      await Promise.race([timeUp, vacated?.catch(() => undefined)]);
      over.abort();
      await this.drop(instanceId, revision);
    } finally {
      this.#vacating.delete(key);
    }
  }

  /** Waits until no call is in flight on a copy, at most for `graceMs`. */
  async drain(instanceId: string, revision: number, signal: AbortSignal): Promise<void> {
    await this.get(instanceId, revision)
      ?.drained({ signal })
      .catch(() => undefined);
  }

  /** Waits until no call is in flight on any copy, or until the signal fires. */
  async drainAll(signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#all().map((link) => link.drained({ signal })));
  }

  async closeAll(): Promise<void> {
    const links = this.#all();
    this.#links.clear();
    this.#remote.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #all(): readonly MCPLink[] {
    return [...[...this.#links.values()].map(({ link }) => link), ...this.#remote.values()];
  }

  #open({ id, runtime }: InstanceRecord, { revision, spec }: Copy, dial: LinkTarget['dial']): MCPLink {
    return this.#context.links.open({
      instanceId: id,
      revision,
      dial,
      protocolEra: spec.protocol_era ?? (isStdio(spec) ? 'legacy' : 'auto'),
      callTimeoutMs: this.#context.settings.callTimeoutMs,
      known: runtime.handshake,
    });
  }
}

/** How a provider knows a copy. */
export function copyRef(record: Pick<InstanceRecord, 'id' | 'slug'>, copy: Pick<Copy, 'revision'>): CopyRef {
  return { instanceId: record.id, slug: record.slug, revision: copy.revision };
}

/** Whether a server is spoken to over its standard streams. */
export function isStdio(spec: JsonSpec): boolean {
  return resolveTransport(spec) === 'stdio';
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
