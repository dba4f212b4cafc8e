import {
  type CallOptions,
  type Clock,
  type CopyRef,
  type Dialed,
  type DialTarget,
  type ErrorCode,
  type JsonSpec,
  Listeners,
  type LogLine,
  type LogQuery,
  type MCPInfraError,
  mcpError,
  type Observation,
  orAborted,
  type OwnedCopy,
  type Provider,
  type ProviderContext,
  type RunRequest,
  type StopRequest,
  type Unsubscribe,
} from '../plugin.js';
import type { FakeCopyState, FakeHolding, FakeProvider } from './fake-controls.js';
import { type CrashOptions, FakeCopy, type HostedCopy } from './fake-copy.js';
import type { TestTools } from './tools.js';

/** What a {@link FakeRuntime} is made of. */
export interface FakeRuntimeOptions<TSpec extends JsonSpec> {
  readonly of: Pick<Provider<TSpec>, 'type' | 'specSchema' | 'copiesEndWithProcess' | 'runsImages'>;
  readonly placement: string;
  readonly tools: TestTools;
  readonly clock: Clock;
}

/** Runs copies as servers in this process. */
export class FakeRuntime<TSpec extends JsonSpec> implements FakeProvider<TSpec> {
  readonly specificationVersion = 'v1';
  readonly type: TSpec['type'];
  readonly specSchema: Provider<TSpec>['specSchema'];
  readonly copiesEndWithProcess: boolean;
  readonly runsImages: boolean;
  readonly #placement: string;
  readonly #clock: Clock;
  readonly #copies = new Map<string, FakeCopy<TSpec>>();
  readonly #listeners = new Listeners<CopyRef>((error) =>
    this.#context?.logger.warn('a listener for changes of copies threw', { error }),
  );
  /** Ids and names of instances whose servers answer nothing. */
  readonly #hanging = new Set<string>();
  readonly #failures: MCPInfraError[] = [];
  #tools: TestTools;
  #context: ProviderContext | undefined;

  constructor({ of, placement, tools, clock }: FakeRuntimeOptions<TSpec>) {
    this.type = of.type;
    this.copiesEndWithProcess = of.copiesEndWithProcess ?? false;
    this.runsImages = of.runsImages ?? false;
    this.specSchema = of.specSchema.transform(checkedOverMCP);
    this.#placement = placement;
    this.#tools = tools;
    this.#clock = clock;
  }

  async open(context: ProviderContext, options?: CallOptions): Promise<void> {
    refuseAborted(options);
    this.#context = context;
  }

  async placement(options?: CallOptions): Promise<string> {
    refuseAborted(options);
    return this.#placement;
  }

  async ensureRunning(request: RunRequest<TSpec>, options?: CallOptions): Promise<Observation> {
    refuseAborted(options);
    const { fleet, storeId } = this.#opened();
    const key = keyOf(request.copy);
    if (this.#copies.get(key)?.state !== 'running') {
      const failure = this.#failures.shift();
      if (failure) throw failure;
    }
    if (!this.#copies.has(key)) {
      const environment = await orAborted(request.environment(), options?.signal);
      // Another call for the same copy may have been faster.
      if (!this.#copies.has(key)) {
        const host = {
          fleet,
          storeId,
          clock: this.#clock,
          tools: () => this.#tools,
          hangs: (copy: HostedCopy) =>
            this.#hanging.has(copy.copy.instanceId) || this.#hanging.has(copy.instanceName),
        };
        this.#copies.set(key, new FakeCopy(request, environment, host));
      }
    }
    const copy = this.#copies.get(key);
    copy?.start();
    return copy?.observe() ?? { state: 'absent' };
  }

  async ensureStopped(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    refuseAborted(options);
    await this.#find(copy)?.stop(stop, options?.signal);
  }

  async destroy(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    refuseAborted(options);
    const known = this.#find(copy);
    if (!known) return;
    await known.stop(stop, options?.signal);
    known.lines.close();
    const key = keyOf(copy);
    if (this.#copies.get(key) === known) this.#copies.delete(key);
  }

  async observe(copy: CopyRef, options?: CallOptions): Promise<Observation> {
    refuseAborted(options);
    return this.#find(copy)?.observe() ?? { state: 'absent' };
  }

  async list(options?: CallOptions): Promise<readonly OwnedCopy[]> {
    refuseAborted(options);
    const { fleet } = this.#opened();
    const ours = [...this.#copies.values()].filter((copy) => copy.fleet === fleet);
    return ours.map(({ copy, storeId, state, createdAt }) => ({ copy, storeId, state, createdAt }));
  }

  watch(listener: (copy: CopyRef) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  async dial({ copy }: DialTarget<TSpec>, options?: CallOptions): Promise<Dialed> {
    refuseAborted(options);
    const known = this.#find(copy);
    if (known?.state === 'running') return { kind: 'stdio', channel: known.openChannel() };
    throw mcpError('INSTANCE_NOT_READY', `The server of ${nameOf(copy)} does not run; start it first.`);
  }

  async *logs(copy: CopyRef, query: LogQuery, options?: CallOptions): AsyncGenerator<LogLine> {
    const known = this.#find(copy);
    if (known) yield* known.lines.read(query, options?.signal);
  }

  async close(): Promise<void> {
    this.#context = undefined;
    this.#listeners.clear();
    if (!this.copiesEndWithProcess) return;
    // As children do, these end with their worker.
    for (const copy of this.#copies.values()) {
      copy.crash({ signal: 'SIGTERM' });
      copy.lines.close();
    }
    this.#copies.clear();
  }

  copies(): readonly FakeCopyState<TSpec>[] {
    return [...this.#copies.values()].map(({ copy, storeId, state, createdAt, instanceName, spec }) => ({
      copy,
      storeId,
      state,
      createdAt,
      instanceName,
      spec,
    }));
  }

  holdings(): readonly FakeHolding[] {
    const held: FakeHolding[] = [...this.#copies.values()].flatMap(({ copy, state, openChannels, lines }) => [
      ...Array.from({ length: openChannels }, (_, i) => ({
        what: `a channel to ${nameOf(copy)}`,
        usual: state === 'running' && i === 0,
      })),
      ...Array.from({ length: lines.readers }, () => ({
        what: `a reader of the logs of ${nameOf(copy)}`,
        usual: true,
      })),
    ]);
    const watchers = Array.from({ length: this.#listeners.size }, () => ({
      what: `a watcher of the provider "${this.type}"`,
      usual: true,
    }));
    return [...held, ...watchers];
  }

  crash(instance: string, options: CrashOptions = {}): void {
    const running = this.#of(instance).filter((copy) => copy.state === 'running');
    if (running.length === 0) {
      const names = [...this.#copies.values()]
        .filter((c) => c.state === 'running')
        .map((c) => c.instanceName);
      const message = `No copy of ${JSON.stringify(instance)} runs that could crash; running: ${names.join(', ') || 'none'}.`;
      throw mcpError('INVALID_ARGUMENT', message);
    }
    for (const copy of running) {
      copy.crash(options);
      if (this.#placement === '*') copy.start();
      this.#listeners.tell(copy.copy);
    }
  }

  hang(instance: string): void {
    this.#hanging.add(instance);
  }

  unhang(instance: string): void {
    for (const copy of this.#of(instance)) {
      this.#hanging.delete(copy.instanceName);
      this.#hanging.delete(copy.copy.instanceId);
    }
    this.#hanging.delete(instance);
    for (const copy of this.#of(instance)) copy.resume();
  }

  failNextStart(code: ErrorCode, message = 'The start failed, as the test asked for.'): void {
    this.#failures.push(mcpError(code, message));
  }

  changeTools(tools: TestTools): void {
    this.#tools = tools;
    for (const copy of this.#copies.values()) copy.tellToolsChanged();
  }

  /** A copy of the fleet it was opened for; those of another are not touched. */
  #find(copy: CopyRef): FakeCopy<TSpec> | undefined {
    const known = this.#copies.get(keyOf(copy));
    return known?.fleet === this.#context?.fleet ? known : undefined;
  }

  #of(instance: string): readonly FakeCopy<TSpec>[] {
    return [...this.#copies.values()].filter(
      (c) => c.copy.instanceId === instance || c.instanceName === instance,
    );
  }

  #opened(): ProviderContext {
    if (this.#context) return this.#context;
    throw mcpError('NOT_STARTED', `Expected open() before this call to the fake provider "${this.type}".`);
  }
}

/** Nothing listens on a port here, so what would be asked over HTTP or TCP is asked over MCP. */
function checkedOverMCP<TSpec extends JsonSpec>(spec: TSpec): TSpec {
  const { health_check: check } = spec;
  if (check === undefined) return spec;
  if (typeof check === 'string') return { ...spec, health_check: { type: 'mcp' } };
  const { path: _unused, type, ...rest } = check;
  return { ...spec, health_check: { ...rest, type: type === 'none' ? 'none' : 'mcp' } };
}

function keyOf({ instanceId, revision }: CopyRef): string {
  return `${instanceId}/${revision}`;
}

function nameOf({ slug, revision }: CopyRef): string {
  return `mcp-${slug}-r${revision}`;
}

function refuseAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted !== true) return;
  throw mcpError('ABORTED', 'The call of the fake provider was aborted.', { cause: options.signal.reason });
}
