import { resolveHealthCheck } from '../../domain/json-spec/health-check.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { resolveTransport } from '../../domain/json-spec/resolve-transport.js';
import type { LinkTarget, MCPLink, ProbeRequest } from '../../ports/mcp-link.js';
import type { CopyRef } from '../../ports/provider.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { ServiceContext } from '../context/service-context.js';
import type { OwnedKey } from '../context/ownership.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import { sleep } from '../../async/sleep.js';
import { RevisionMap } from './revision-map.js';

// Less than the margin by which a lease is taken for expired before another process can have it.
const lastCallsMs = 4_000;

/** A link to what this process owns or can reach by itself. */
interface OwnLink {
  readonly link: MCPLink;
  readonly of: OwnedKey;
  readonly revision: number;
  readonly spec: JsonSpec;
}

/** What a {@link LinkRegistry} asks of others. */
export interface LinkRegistryOptions {
  /** Told when a server said that its tools changed. */
  readonly toolsChanged: (instanceId: string) => void;
  readonly owns: (key: OwnedKey) => boolean;
}

/** The links of this process: one for each copy, shared by probes, clients and calls. */
export class LinkRegistry {
  readonly #context: ServiceContext;
  readonly #secrets: SecretSource;
  readonly #options: LinkRegistryOptions;
  readonly #links = new RevisionMap<OwnLink>();
  readonly #remote = new RevisionMap<MCPLink>();
  /** Copies that serve only whoever they have. */
  readonly #vacating = new Set<string>();
  readonly #closing = new AbortController();

  constructor(context: ServiceContext, secrets: SecretSource, options: LinkRegistryOptions) {
    this.#context = context;
    this.#secrets = secrets;
    this.#options = options;
  }

  /** How many links there are. */
  get size(): number {
    return this.#links.size + this.#remote.size;
  }

  /** The link to a copy, made when it is first asked for. */
  of(record: InstanceRecord, copy: Copy): MCPLink {
    const { id, runtime } = record;
    const { revision, spec } = copy;
    const known = this.#links.get(id, revision);
    if (known) return known.link;
    const provider = this.#context.providers.get(spec.type);
    if (!provider) throw mcpError('INVALID_SPEC', `No provider of this host runs the type "${spec.type}".`);
    const link = this.#open(record, copy, (options) =>
      provider.dial(
        { copy: copyRef(record, copy), spec, secrets: () => this.#secrets.resolve(record, copy, options) },
        options,
      ),
    );
    link.onToolsChanged(() => {
      this.#options.toolsChanged(id);
    });
    const made = { link, of: { id, type: spec.type, placement: runtime.placement }, revision, spec };
    this.#links.set(id, revision, made);
    this.#endOlder(made);
    return link;
  }

  /**
   * The link to a copy through its owner, another process. Apart from our own, because the copy may become ours; known
   * only while it is connected, because nobody tells us when the copy is gone.
   */
  remote(record: InstanceRecord, copy: Copy, dial: LinkTarget['dial']): MCPLink {
    const { id } = record;
    const { revision } = copy;
    const known = this.#remote.get(id, revision);
    if (known) return known;
    let dials = 0;
    const link = this.#open(record, copy, async (options) => {
      dials += 1;
      const dialing = dials;
      const forget = (): void => {
        if (dialing === dials && this.#remote.get(id, revision) === link) this.#remote.delete(id, revision);
      };
      // Forgotten when its connection ended, it is back for those who still hold it.
      if (!this.#remote.get(id, revision)) this.#remote.set(id, revision, link);
      try {
        const dialed = await dial(options);
        if (dialed.kind === 'stdio') dialed.channel.output.once('close', forget);
        return dialed;
      } catch (error) {
        forget();
        throw error;
      }
    });
    this.#remote.set(id, revision, link);
    return link;
  }

  /** The link to a copy, where there is one. */
  get(instanceId: string, revision: number): MCPLink | undefined {
    return this.#links.get(instanceId, revision)?.link;
  }

  /** Ends the link to a copy. */
  async drop(instanceId: string, revision: number): Promise<void> {
    const known = this.#links.get(instanceId, revision);
    this.#links.delete(instanceId, revision);
    await known?.link.close();
  }

  /** Ends every link to an instance that is gone. */
  async forget(instanceId: string): Promise<void> {
    const own = this.#links.take(instanceId).map(({ link }) => link);
    await Promise.all([...own, ...this.#remote.take(instanceId)].map((link) => link.close()));
  }

  /** Lets go of the standard streams of every copy that another process may soon own, and lets calls end before. */
  async dropLost(): Promise<void> {
    const isLost = ({ of, spec }: OwnLink): boolean => isStdio(spec) && !this.#options.owns(of);
    const letGo = async (known: OwnLink): Promise<void> => {
      const { of, revision } = known;
      const over = new AbortController();
      const timeUp = sleep(this.#context.clock, lastCallsMs, over.signal);
      await Promise.race([timeUp, known.link.drained({ signal: over.signal }).catch(() => undefined)]);
      over.abort();
      if (this.#links.get(of.id, revision) !== known || !isLost(known)) return;
      this.#links.delete(of.id, revision);
      await known.link.close();
    };
    await Promise.all(this.#links.all().filter(isLost).map(letGo));
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
    this.#closing.abort();
    const links = this.#all();
    this.#links.clear();
    this.#remote.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #all(): readonly MCPLink[] {
    return [...this.#links.all().map(({ link }) => link), ...this.#remote.all()];
  }

  /**
   * Lets go of the copies before one that is owned elsewhere: their owner removes them, and tells nobody. Their clients
   * here have as long as the owner gives them.
   */
  #endOlder({ of, revision }: OwnLink): void {
    if (this.#options.owns(of)) return;
    for (const [older, { spec }] of this.#links.of(of.id)) {
      if (older >= revision || this.isVacating(of.id, older)) continue;
      const { drainTimeoutMs: withinMs } = lifecycleMs(spec);
      void this.vacate(of.id, older, { withinMs, signal: this.#closing.signal });
    }
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
