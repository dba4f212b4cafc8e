import { setMaxListeners } from 'node:events';
import {
  type CallOptions,
  type CopyRef,
  type Dialed,
  type DialTarget,
  KeyedTurns,
  Listeners,
  type LogLine,
  type LogQuery,
  mcpError,
  type Observation,
  type OwnedCopy,
  type Prerequisite,
  processIdentity,
  type Provider,
  type ProviderContext,
  type RunRequest,
  type StopRequest,
  throwIfAborted,
  underSignals,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';
import type { ProcessSpec } from './process-spec.js';
import { copyKey, isSameProcess } from './copy-marks.js';
import { findBearers, killBearersNow } from './copy-members.js';
import { endLeftovers } from './leftovers.js';
import { LimitWatch } from './limit-watch.js';
import { machineName } from './machine-name.js';
import { checkPrerequisites } from './prerequisites.js';
import { ProcessCopy, type CopyHost } from './process-copy.js';
import { policySchema } from './process-policy.js';
import type { ResolvedOptions } from './process-provider-options.js';
import { startedAtMs } from './process-table.js';

// A closing host waits no longer than this for a server, whatever its document says.
const closeGraceMs = 5_000;

/** Runs MCP servers as child processes of this one. */
export class ProcessRuntime implements Provider<ProcessSpec> {
  readonly specificationVersion = 'v1';
  readonly copiesEndWithProcess = true;
  readonly type = 'process';
  readonly specSchema: Provider<ProcessSpec>['specSchema'];
  readonly #options: ResolvedOptions;
  readonly #copies = new Map<string, ProcessCopy>();
  readonly #turns = new KeyedTurns();
  readonly #listeners = new Listeners<CopyRef>((error) =>
    this.#host?.logger.warn('A listener for changes of copies threw.', { error }),
  );
  readonly #closing = new AbortController();
  #host: CopyHost | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.specSchema = policySchema(options);
    // Every start under way listens to it, however many there are.
    setMaxListeners(10_000, this.#closing.signal);
  }

  async open(context: ProviderContext, options?: CallOptions): Promise<void> {
    throwIfAborted(options?.signal);
    const owner = await processIdentity();
    await endLeftovers(context.fleet, context.logger);
    this.#host = {
      fleet: context.fleet,
      storeId: context.storeId,
      logger: context.logger,
      owner,
      options: this.#options,
      limits: new LimitWatch(),
      ports: new Set(),
      onEnded: (copy) => this.#listeners.tell(copy),
    };
    process.on('exit', this.#killAll);
  }

  async placement(): Promise<string> {
    return `machine:${this.#options.placement ?? (await machineName())}`;
  }

  async ensureRunning(request: RunRequest<ProcessSpec>, options?: CallOptions): Promise<Observation> {
    const host = this.#opened();
    const key = this.#keyOf(request.copy);
    return underSignals([this.#closing.signal, options?.signal], (signal) =>
      this.#turns.take(key, signal, async () => {
        throwIfAborted(signal);
        const copy = this.#copies.get(key) ?? new ProcessCopy(request.copy, host);
        this.#copies.set(key, copy);
        try {
          return await copy.ensureRunning(request, signal);
        } finally {
          if (!copy.hasRun) this.#copies.delete(key);
        }
      }),
    );
  }

  async ensureStopped(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    await this.#stop(copy, stop, { signal: options?.signal, forget: false });
  }

  async destroy(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void> {
    await this.#stop(copy, stop, { signal: options?.signal, forget: true });
  }

  /** Sees only what this process started: nobody else can speak with a child over its pipes. */
  async observe(copy: CopyRef): Promise<Observation> {
    return this.#copies.get(this.#keyOf(copy))?.observe() ?? { state: 'absent' };
  }

  async list(): Promise<readonly OwnedCopy[]> {
    const { fleet, storeId } = this.#opened();
    const bearers = await findBearers((marks) => marks.fleet === fleet);
    const found = new Map<string, OwnedCopy>();
    for (const [key, known] of this.#copies) {
      const state = known.liveRun ? 'running' : 'exited';
      if (known.hasRun) found.set(key, { copy: known.copy, storeId, state, createdAt: known.createdAt });
    }
    for (const bearer of bearers) {
      const key = copyKey(bearer.marks);
      const since = new Date(startedAtMs(bearer)).toISOString();
      const earlier = found.get(key)?.createdAt ?? since;
      const createdAt = since < earlier ? since : earlier;
      found.set(key, { copy: bearer.marks.copy, storeId: bearer.marks.storeId, state: 'running', createdAt });
    }
    return [...found.values()];
  }

  watch(listener: (copy: CopyRef) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  async dial(target: DialTarget<ProcessSpec>): Promise<Dialed> {
    const { slug } = target.copy;
    const run = this.#copies.get(this.#keyOf(target.copy))?.liveRun;
    if (!run)
      throw mcpError('INSTANCE_NOT_READY', `The server of ${slug} does not run here; start it first.`);
    if (run.pipes) return { kind: 'stdio', channel: run.pipes.open() };
    const { transport, url = '' } = run.endpoint;
    const host = target.spec.host_header;
    return {
      kind: 'http',
      transport: transport === 'sse' ? 'sse' : 'streamable-http',
      url: new URL(url),
      headers: async () => (host === undefined ? {} : { host }),
    };
  }

  async *logs(copy: CopyRef, query: LogQuery, options?: CallOptions): AsyncGenerator<LogLine> {
    const known = this.#copies.get(this.#keyOf(copy));
    if (known) yield* known.logs(query, options?.signal);
  }

  /** A fixed port is one server's at a time. */
  canOverlap(spec: ProcessSpec): boolean {
    return typeof spec.port !== 'number';
  }

  async doctor(): Promise<readonly Prerequisite[]> {
    return checkPrerequisites();
  }

  /** Ends every server: a child does not outlive its worker. An abort ends the grace, not the closing. */
  async close(options?: CallOptions): Promise<void> {
    const hasten = (): void => {
      for (const copy of this.#copies.values()) copy.hasten(0);
    };
    options?.signal?.addEventListener('abort', hasten);
    this.#closed ??= this.#close();
    if (options?.signal?.aborted === true) hasten();
    return this.#closed.finally(() => options?.signal?.removeEventListener('abort', hasten));
  }

  async #close(): Promise<void> {
    this.#closing.abort(
      mcpError('ALREADY_STOPPED', 'The process provider was closed; it starts nothing any more.'),
    );
    await Promise.all(
      [...this.#copies].map(([key, copy]) =>
        this.#turns.take(key, undefined, async () => {
          await copy.stop(Math.min(copy.stopGraceMs, closeGraceMs), undefined);
          copy.forget();
          this.#copies.delete(key);
        }),
      ),
    );
    this.#listeners.clear();
    process.off('exit', this.#killAll);
  }

  async #stop(
    copy: CopyRef,
    { graceMs }: StopRequest,
    { signal, forget }: { readonly signal: AbortSignal | undefined; readonly forget: boolean },
  ): Promise<void> {
    const host = this.#opened();
    const key = this.#keyOf(copy);
    this.#copies.get(key)?.hasten(graceMs);
    await this.#turns.take(key, signal, async () => {
      const known = this.#copies.get(key) ?? new ProcessCopy(copy, host);
      await known.stop(graceMs, signal);
      if (!forget) return;
      known.forget();
      this.#copies.delete(key);
    });
  }

  #opened(): CopyHost {
    if (!this.#host)
      throw mcpError('NOT_STARTED', 'Expected open() before this call to the process provider.');
    return this.#host;
  }

  #keyOf(copy: CopyRef): string {
    const { fleet, storeId } = this.#opened();
    return copyKey({ fleet, storeId, copy });
  }

  // For a host that ends without closing: not a signal handler, so it changes nothing of how the host ends.
  readonly #killAll = (): void => {
    if (this.#copies.size === 0 || !this.#host) return;
    for (const copy of this.#copies.values()) copy.liveRun?.killNow();
    const { fleet, storeId, owner } = this.#host;
    killBearersNow(
      (marks) => marks.fleet === fleet && marks.storeId === storeId && isSameProcess(marks.owner, owner),
    );
  };
}
