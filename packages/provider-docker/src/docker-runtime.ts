import {
  type CallOptions,
  type ContainerSpec,
  type CopyRef,
  type Dialed,
  type DialTarget,
  type Endpoint,
  KeyedTurns,
  Listeners,
  type LogLine,
  type LogQuery,
  mcpError,
  type Observation,
  type OwnedCopy,
  type Prerequisite,
  type Provider,
  type ProviderContext,
  type RunRequest,
  type StopRequest,
  underSignals,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';
import type { ContainerInspectInfo } from 'dockerode';
import { Attachments } from './attachments.js';
import { readEndpoint } from './container-document.js';
import { ContainerLogs } from './container-logs.js';
import { policySchema } from './container-policy.js';
import { ContainerStarts } from './container-starts.js';
import { Containers, isGoing } from './containers.js';
import type { ResolvedOptions } from './docker-provider-options.js';
import { Engine } from './engine.js';
import { infoOf, isPodman, versionOf } from './engine-facts.js';
import { EngineEvents, type ContainerEvent } from './engine-events.js';
import { readLines, toExitRecord } from './exit-record.js';
import { Images } from './images.js';
import { copyKey, readOwner, type OwnedRef } from './labels.js';
import { removeLeftovers } from './leftovers.js';
import { LifeWatch } from './life-watch.js';
import { Networks } from './networks.js';
import { checkPrerequisites } from './prerequisites.js';
import { SecretFiles } from './secret-files.js';

// A program that fails at once has written before the engine notes its start.
const writesBeforeStartMs = 250;

/** Runs MCP servers as containers of one engine. */
export class DockerRuntime implements Provider<ContainerSpec> {
  readonly specificationVersion = 'v1';
  readonly type = 'docker';
  readonly runsImages = true;
  readonly specSchema: Provider<ContainerSpec>['specSchema'];
  readonly #engine: Engine;
  readonly #containers: Containers;
  readonly #images: Images;
  readonly #networks: Networks;
  readonly #secretFiles: SecretFiles;
  readonly #starts: ContainerStarts;
  readonly #logs: ContainerLogs;
  readonly #attachments = new Attachments();
  readonly #life = new LifeWatch();
  readonly #turns = new KeyedTurns();
  readonly #listeners = new Listeners<CopyRef>((error) =>
    this.#context?.logger.warn('a listener for changes of copies threw', { error }),
  );
  /** Copies that are being ended by us: what happens to them is no news. */
  readonly #ending = new Map<string, number>();
  /** How running copies are reached, as it was last seen; forgotten with any news of theirs. */
  readonly #endpoints = new Map<string, Endpoint>();
  #context: ProviderContext | undefined;
  #placement: string | undefined;

  constructor(options: ResolvedOptions) {
    this.specSchema = policySchema(options);
    this.#engine = new Engine(options.connection);
    this.#containers = new Containers(this.#engine);
    this.#images = new Images(this.#engine);
    this.#networks = new Networks(this.#engine, options.networkPool);
    this.#secretFiles = new SecretFiles(options.secretDir);
    this.#starts = new ContainerStarts({
      containers: this.#containers,
      images: this.#images,
      networks: this.#networks,
      secretFiles: this.#secretFiles,
      attachments: this.#attachments,
    });
    this.#logs = new ContainerLogs({
      engine: this.#engine,
      containers: this.#containers,
      secretFiles: this.#secretFiles,
    });
  }

  async open(context: ProviderContext): Promise<void> {
    await this.#secretFiles.open();
    this.#context = context;
    let isFirst = true;
    const listener = {
      onEvent: (event: ContainerEvent) => this.#onEvent(event),
      onLost: () => {
        this.#placement = undefined;
        this.#life.streamLost();
        this.#endpoints.clear();
      },
      onConnected: () => {
        // It may be another engine by now.
        this.#placement = undefined;
        for (const owned of this.#life.known()) this.#listeners.tell(owned.copy);
        if (isFirst) void this.#removeLeftovers(context);
        isFirst = false;
      },
    };
    const events = new EngineEvents(this.#engine, context, { listener, host: context });
    await events.start();
  }

  async placement(options?: CallOptions): Promise<string> {
    this.#placement ??= await this.#askPlacement(options);
    return this.#placement;
  }

  /** Whether the engine has the image; refuses what cannot be run here before anything is fetched. */
  async isPrepared(request: RunRequest<ContainerSpec>, options?: CallOptions): Promise<boolean> {
    this.#demandSupport(request.spec);
    return this.#images.has(request.spec.image, options?.signal);
  }

  /** Fetches the image, and refuses what cannot be run here before anything is made. */
  async prepare(request: RunRequest<ContainerSpec>, options?: CallOptions): Promise<void> {
    this.#demandSupport(request.spec);
    await this.#images.fetch(request, options?.signal);
  }

  async ensureRunning(request: RunRequest<ContainerSpec>, options?: CallOptions): Promise<Observation> {
    const owned = this.#owned(request.copy);
    this.#demandSupport(request.spec);
    return underSignals([this.#engine.closing, options?.signal], (signal) =>
      this.#turns.take(copyKey(owned), signal, async () => {
        await this.#starts.ensure(owned, request, signal);
        return this.#observe(owned, signal);
      }),
    );
  }

  async ensureStopped(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    await this.#end(copy, stop, options?.signal, (owned) => {
      this.#attachments.release(copyKey(owned));
      return Promise.resolve();
    });
  }

  async destroy(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    await this.#end(copy, stop, options?.signal, (owned) => this.#starts.remove(owned, options?.signal));
  }

  async observe(copy: CopyRef, options?: CallOptions): Promise<Observation> {
    return this.#observe(this.#owned(copy), options?.signal);
  }

  async list(options?: CallOptions): Promise<readonly OwnedCopy[]> {
    const { fleet } = this.#opened();
    const signal = options?.signal;
    const [containers, networks, files] = await Promise.all([
      this.#containers.list(fleet, signal),
      this.#networks.list(fleet, signal),
      this.#secretFiles.list(),
    ]);
    const found = new Map<string, OwnedCopy>();
    // What is left of a copy without its container is listed too, so that it is found and removed.
    for (const network of networks) add(found, readOwner(network.Labels), { createdAt: network.Created });
    for (const { owned, createdAt } of files) if (owned.fleet === fleet) add(found, owned, { createdAt });
    for (const container of containers) {
      const state = container.State === 'running' || container.State === 'paused' ? 'running' : 'exited';
      add(found, readOwner(container.Labels), { createdAt: container.Created * 1_000, state });
    }
    return [...found.values()];
  }

  watch(listener: (copy: CopyRef) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  async dial(target: DialTarget<ContainerSpec>, options?: CallOptions): Promise<Dialed> {
    const owned = this.#owned(target.copy);
    const key = copyKey(owned);
    const held = this.#attachments.take(key);
    if (held) return { kind: 'stdio', channel: held };
    const known = this.#endpoints.get(key);
    if (known?.url !== undefined) return overHTTP(known, target.spec);
    const container = await this.#containers.find(owned, options?.signal);
    if (container?.State.Running !== true)
      throw mcpError(
        'INSTANCE_NOT_READY',
        `The container of ${target.copy.slug} does not run; start it first.`,
      );
    const endpoint = readEndpoint(container.Config.Labels, addressOf(container));
    if (endpoint.transport !== 'stdio') return overHTTP(endpoint, target.spec);
    this.#attachments.release(key);
    const channel = await this.#containers.attach(container, options?.signal);
    return { kind: 'stdio', channel: this.#attachments.lend(key, channel) };
  }

  async *logs(copy: CopyRef, query: LogQuery, options?: CallOptions): AsyncGenerator<LogLine> {
    const signal = options?.signal ?? this.#engine.closing;
    yield* this.#logs.read(this.#owned(copy), query, signal);
  }

  async doctor(options?: CallOptions): Promise<readonly Prerequisite[]> {
    return checkPrerequisites(this.#engine, options?.signal);
  }

  /** Lets go of the engine; containers go on, for the next owner to adopt. */
  close(): Promise<void> {
    this.#listeners.clear();
    this.#attachments.releaseAll();
    this.#engine.close();
    return Promise.resolve();
  }

  async #end(
    copy: CopyRef,
    { graceMs }: StopRequest,
    signal: AbortSignal | undefined,
    then: (owned: OwnedRef) => Promise<void>,
  ): Promise<void> {
    const owned = this.#owned(copy);
    const key = copyKey(owned);
    this.#ending.set(key, (this.#ending.get(key) ?? 0) + 1);
    this.#endpoints.delete(key);
    try {
      await this.#turns.take(key, signal, async () => {
        const container = await this.#containers.find(owned, signal);
        if (container?.State.Running === true) await this.#containers.stop(container, graceMs, signal);
        if (container) this.#life.forget(container.Id);
        await then(owned);
      });
    } finally {
      const left = (this.#ending.get(key) ?? 1) - 1;
      if (left === 0) this.#ending.delete(key);
      else this.#ending.set(key, left);
    }
  }

  async #observe(owned: OwnedRef, signal: AbortSignal | undefined): Promise<Observation> {
    const container = await this.#containers.find(owned, signal);
    // One that was made and never started has neither run nor ended.
    if (!container || isGoing(container) || container.State.Status === 'created') return { state: 'absent' };
    if (container.State.Running) {
      this.#life.sawRunning(container.Id, owned);
      const endpoint = readEndpoint(container.Config.Labels, addressOf(container));
      this.#endpoints.set(copyKey(owned), endpoint);
      return { state: 'running', startedAt: new Date(container.State.StartedAt).toISOString(), endpoint };
    }
    this.#endpoints.delete(copyKey(owned));
    const { Id: id, State: state } = container;
    const sinceMs = Date.parse(state.StartedAt) - writesBeforeStartMs;
    const about = { tail: readLines, sinceMs, signal };
    const lines = await this.#logs.last(owned, container, about);
    const exit = toExitRecord({
      finishedAt: state.FinishedAt,
      exitCode: state.ExitCode,
      oomKilled: state.OOMKilled || this.#life.ranOutOfMemory(id),
      withEngine: this.#life.endedWithEngine(id),
      lines: lines.map((line) => line.text),
    });
    return { state: 'exited', exit };
  }

  #onEvent({ action, containerId, owned }: ContainerEvent): void {
    this.#endpoints.delete(copyKey(owned));
    if (action === 'die') this.#life.sawDeath(containerId);
    if (action === 'oom') this.#life.sawOutOfMemory(containerId);
    if (action === 'destroy') this.#life.forget(containerId);
    // An end by lack of memory is told again as the end it is.
    if (action !== 'oom' && !this.#ending.has(copyKey(owned))) this.#listeners.tell(owned.copy);
  }

  async #removeLeftovers({ logger }: ProviderContext): Promise<void> {
    const parts = {
      containers: this.#containers,
      networks: this.#networks,
      secretFiles: this.#secretFiles,
      starts: this.#starts,
      logger,
    };
    await removeLeftovers(parts, this.#engine.closing).catch((error: unknown) => {
      if (!this.#engine.closing.aborted)
        logger.warn('the remains of killed hosts could not be looked for', { error });
    });
  }

  async #askPlacement(bounds: CallOptions = {}): Promise<string> {
    const [info, version] = await Promise.all([
      infoOf(this.#engine, bounds),
      versionOf(this.#engine, bounds),
    ]);
    // Podman makes up another id for each answer.
    return isPodman(version) ? `docker:podman-${info.Name}` : `docker:${info.ID}`;
  }

  #demandSupport(spec: ContainerSpec): void {
    if ((spec.network?.allow ?? []).length > 0) {
      const message =
        'json_spec.network.allow is not supported by the docker provider yet: remove it, or set network.egress: open.';
      throw mcpError('CAPABILITY_UNSUPPORTED', message);
    }
    if (spec.secret_delivery === 'file') this.#secretFiles.demand();
  }

  #opened(): ProviderContext {
    if (!this.#context)
      throw mcpError('NOT_STARTED', 'Expected open() before this call to the docker provider.');
    return this.#context;
  }

  #owned(copy: CopyRef): OwnedRef {
    const { fleet, storeId } = this.#opened();
    return { fleet, storeId, copy };
  }
}

function overHTTP({ transport, url }: Endpoint, { host_header: host }: ContainerSpec): Dialed {
  return {
    kind: 'http',
    transport: transport === 'sse' ? 'sse' : 'streamable-http',
    url: new URL(url ?? ''),
    headers: () => Promise.resolve(host === undefined ? {} : { host }),
  };
}

/** The address of a container on its network. */
function addressOf({ NetworkSettings: { Networks: networks } }: ContainerInspectInfo): string | undefined {
  return Object.values(networks).find(({ IPAddress: address }) => address !== '')?.IPAddress;
}

function add(
  found: Map<string, OwnedCopy>,
  owned: OwnedRef | undefined,
  about: { readonly createdAt: string | number; readonly state?: OwnedCopy['state'] },
): void {
  if (!owned) return;
  const { storeId, copy } = owned;
  const createdAt = new Date(about.createdAt).toISOString();
  found.set(copyKey(owned), { copy, storeId, state: about.state ?? 'exited', createdAt });
}
