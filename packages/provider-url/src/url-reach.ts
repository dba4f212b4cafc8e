import {
  defaults,
  mcpError,
  systemClock,
  type Clock,
  type CopyRef,
  type Dialed,
  type DialTarget,
  type Endpoint,
  type Observation,
  type OwnedCopy,
  type Prerequisite,
  type Provider,
  type ProviderContext,
  type RunRequest,
} from '@mcpinfra/core/plugin';
import type { UrlSpec } from './url-spec.js';
import { Agent } from 'undici';
import { answerDeadline } from './answer-deadline.js';
import { ServerCredentials } from './credentials/server-credentials.js';
import { UrlReferences } from './credentials/url-references.js';
import { guardedConnector, type LookupAll } from './guarded-connector.js';
import { policySchema } from './url-policy.js';
import type { ResolvedOptions } from './url-provider-options.js';

// Beyond the usual interval of probes, so that a server which keeps connections is not connected to for each.
const keepAliveMs = 35_000;

/** What the provider takes from its surroundings. */
export interface Surroundings {
  /** @defaultValue the machine's */
  readonly clock?: Clock | undefined;
  /** @defaultValue the machine's */
  readonly lookupAll?: LookupAll | undefined;
}

interface Known {
  readonly copy: CopyRef;
  readonly startedAt: string;
  readonly endpoint: Endpoint;
}

/** Reaches servers that run elsewhere. A copy is only that somebody asked for it: nothing is made and nothing is ended. */
export class UrlReach implements Provider<UrlSpec> {
  readonly specificationVersion = 'v1';
  readonly type = 'url';
  readonly specSchema: Provider<UrlSpec>['specSchema'];
  readonly #options: ResolvedOptions;
  readonly #surroundings: Surroundings;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  #opened: { readonly storeId: string; readonly agent: Agent } | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions, surroundings: Surroundings = {}) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock ?? systemClock;
    this.specSchema = policySchema(options.allowed);
  }

  async open({ storeId }: ProviderContext): Promise<void> {
    const agent = new Agent({
      connect: guardedConnector(this.#options.allowed, this.#surroundings.lookupAll),
      keepAliveTimeout: keepAliveMs,
      // The timeout of a document ends where its answer begins: streams may be silent for long.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#opened = { storeId, agent };
  }

  async placement(): Promise<string> {
    return '*';
  }

  async ensureRunning({ copy, spec }: RunRequest<UrlSpec>): Promise<Observation> {
    this.#ready();
    const key = keyOf(copy);
    const known = this.#known.get(key) ?? {
      copy,
      startedAt: new Date(this.#clock.now()).toISOString(),
      endpoint: { transport: transportOf(spec), url: spec.endpoint },
    };
    this.#known.set(key, known);
    return running(known);
  }

  async ensureStopped(copy: CopyRef): Promise<void> {
    this.#known.delete(keyOf(copy));
  }

  async destroy(copy: CopyRef): Promise<void> {
    this.#known.delete(keyOf(copy));
  }

  /** Knows only what this process asked for; core takes the row for what lives nowhere. */
  async observe(copy: CopyRef): Promise<Observation> {
    const known = this.#known.get(keyOf(copy));
    return known ? running(known) : { state: 'absent' };
  }

  async list(): Promise<readonly OwnedCopy[]> {
    const { storeId } = this.#ready();
    return [...this.#known.values()].map(({ copy, startedAt }) => ({
      copy,
      storeId,
      state: 'running',
      createdAt: startedAt,
    }));
  }

  async dial(target: DialTarget<UrlSpec>): Promise<Dialed> {
    const { agent } = this.#ready();
    const { spec } = target;
    const timeoutMs = (spec.timeout ?? defaults.urlTimeout) * 1_000;
    const references = new UrlReferences(spec.endpoint);
    const credentials = new ServerCredentials({
      spec,
      references,
      secrets: () => target.secrets(),
      // What is told of a request is told of the address before the values are put into it.
      dispatcher: agent.compose(references.put, answerDeadline(timeoutMs, this.#clock)),
      clock: this.#clock,
    });
    return {
      kind: 'http',
      transport: transportOf(spec),
      url: new URL(spec.endpoint),
      headers: (options) => credentials.headers(options),
      dispatcher: credentials.dispatcher,
    };
  }

  async doctor(): Promise<readonly Prerequisite[]> {
    const { allow } = this.#options;
    const besides = allow.length === 0 ? '' : `, and at what the host allows: ${allow.join(', ')}`;
    return [{ name: 'url addresses', ok: true, message: `Servers may be at public addresses${besides}.` }];
  }

  /** Ends every connection. Nothing is ended at the servers. */
  async close(): Promise<void> {
    this.#closed ??= this.#opened?.agent.destroy() ?? Promise.resolve();
    this.#known.clear();
    return this.#closed;
  }

  #ready(): { readonly storeId: string; readonly agent: Agent } {
    if (this.#closed)
      throw mcpError('ALREADY_STOPPED', 'The url provider was closed; it reaches nothing any more.');
    if (!this.#opened) throw mcpError('NOT_STARTED', 'Expected open() before this call to the url provider.');
    return this.#opened;
  }
}

function running({ startedAt, endpoint }: Known): Observation {
  return { state: 'running', startedAt, endpoint };
}

function transportOf({ transport }: UrlSpec): 'streamable-http' | 'sse' {
  return transport === 'sse' ? 'sse' : 'streamable-http';
}

function keyOf({ instanceId, revision }: CopyRef): string {
  return `${instanceId}/${String(revision)}`;
}
