import {
  type CopyRef,
  createScrubber,
  defaults,
  invalidSpec,
  type Logger,
  type LogLine,
  type LogQuery,
  mcpError,
  type Observation,
  orAborted,
  pointer,
  type ProcessIdentity,
  resolveLifecycle,
  type RunRequest,
  Secret,
  sizeInBytes,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { ProcessSpec } from './process-spec.js';
import { copyKey, type CopyMarks } from './copy-marks.js';
import { endMembers, killMembers } from './copy-members.js';
import { launchServer } from './launch-server.js';
import type { LimitWatch } from './limit-watch.js';
import { LogRing } from './log-ring.js';
import { forbidden, limitsOf } from './process-policy.js';
import type { ResolvedOptions } from './process-provider-options.js';
import { ServerRun, type RunEnd } from './server-run.js';

/** What all copies of a provider share. */
export interface CopyHost {
  readonly fleet: string;
  readonly storeId: string;
  readonly owner: ProcessIdentity;
  readonly options: ResolvedOptions;
  readonly logger: Logger;
  readonly limits: LimitWatch;
  /** The ports given to running servers, some of which do not listen yet. */
  readonly ports: Set<number>;
  /** Told when a run of a copy has ended. */
  readonly onEnded: (copy: CopyRef) => void;
}

/**
 * One copy: its runs one after another, its logs over all of them, and its environment.
 *
 * Its methods that change something are called one at a time.
 */
export class ProcessCopy {
  readonly copy: CopyRef;
  readonly createdAt = new Date().toISOString();
  readonly #host: CopyHost;
  readonly #marks: CopyMarks;
  readonly #logs = new LogRing();
  #run: ServerRun | undefined;
  #stopGraceMs = defaults.stopGrace * 1000;
  // Kept so that a restart after a crash needs no secret backend; values stay wrapped until they are handed over.
  #environment: Readonly<Record<string, string | Secret>> | undefined;
  #scrub: (text: string) => string = (text) => text;

  constructor(copy: CopyRef, host: CopyHost) {
    this.copy = copy;
    this.#host = host;
    this.#marks = { fleet: host.fleet, storeId: host.storeId, copy, owner: host.owner };
  }

  /** The run that is alive, for whoever wants to speak with the server. */
  get liveRun(): ServerRun | undefined {
    return this.#run?.isRunning === true ? this.#run : undefined;
  }

  /** Whether it ever ran. */
  get hasRun(): boolean {
    return this.#run !== undefined;
  }

  /** The grace its document gives. */
  get stopGraceMs(): number {
    return this.#stopGraceMs;
  }

  async observe(): Promise<Observation> {
    const run = this.#run;
    if (!run) return { state: 'absent' };
    if (run.isRunning) return { state: 'running', startedAt: run.startedAt, endpoint: run.endpoint };
    const { exit } = await run.ended;
    return this.#run === run ? { state: 'exited', exit } : this.observe();
  }

  async ensureRunning(request: RunRequest<ProcessSpec>, signal: AbortSignal): Promise<Observation> {
    if (this.#run?.isRunning === true && !this.#run.isStopping) return this.observe();
    const previous = this.#run;
    if (previous) await orAborted(previous.ended, signal);
    const run = await this.#start(request, signal);
    this.#run = run;
    if (signal.aborted) {
      this.#insistEnded((await run.stop(0)).survivors);
      this.#run = previous;
      throwIfAborted(signal);
    }
    return this.observe();
  }

  /** Ends its processes, also those another process started. */
  async stop(graceMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#run) await orAborted(this.#run.stop(graceMs), signal);
    this.#insistEnded(await orAborted(endMembers({ isMeant: this.#isOurs }, graceMs), signal));
  }

  /** Shortens the grace of a stop that is under way. */
  hasten(graceMs: number): void {
    if (this.#run?.isStopping === true) void this.#run.stop(graceMs);
  }

  /** Forgets what is kept for a restart, after a stop. */
  forget(): void {
    this.#run = undefined;
    this.#environment = undefined;
    this.#logs.close();
  }

  async *logs(query: LogQuery, signal: AbortSignal | undefined): AsyncGenerator<LogLine> {
    let next = query.tail === undefined ? 0 : this.#logs.nextNumber - query.tail;
    for (;;) {
      const lines = this.#logs.since(next);
      next = this.#logs.nextNumber;
      for (const line of lines) {
        if (signal?.aborted === true) return;
        yield { ...line, text: this.#scrub(line.text) };
      }
      if (query.follow !== true || this.#logs.closed || signal?.aborted === true) return;
      if (this.#logs.nextNumber === next) await this.#logs.changed(signal);
    }
  }

  async #start(request: RunRequest<ProcessSpec>, signal: AbortSignal): Promise<ServerRun> {
    const { spec } = request;
    const { options, ports } = this.#host;
    const issues = forbidden(spec, options).map((issue) => ({ ...issue, path: pointer(...issue.path) }));
    if (issues.length > 0) throw invalidSpec(`The document of ${this.copy.slug}`, issues);
    this.#stopGraceMs = resolveLifecycle(spec).stopGrace * 1000;
    // Another process may have started the copy and lost the right to it since.
    this.#insistEnded(await killMembers({ isMeant: this.#isOurs }));
    throwIfAborted(signal);

    this.#environment ??= await orAborted(request.environment(), signal);
    const values = Object.values(this.#environment);
    this.#scrub = createScrubber(
      values.flatMap((value) => (value instanceof Secret ? [value.reveal()] : [])),
    );
    const environment = this.#environment;
    const launched = await launchServer({
      spec,
      environment,
      marks: this.#marks,
      inherited: options.env,
      ports,
      signal,
    });
    const run = new ServerRun({ ...launched, logs: this.#logs, scrub: this.#scrub, isMeant: this.#isOurs });
    this.#watch(run, spec, launched.child.pid);
    return run;
  }

  /** Keeps the limits of a run, and reports its end. */
  #watch(run: ServerRun, spec: ProcessSpec, session: number): void {
    const { options, limits, ports, onEnded } = this.#host;
    const { memory_limit: memoryLimit, pids_limit: pids } = limitsOf(spec, options);
    const unwatch = limits.add({
      key: copyKey(this.#marks),
      session,
      memoryLimit,
      memoryBytes: sizeInBytes(memoryLimit),
      pids,
      onExceeded: (verdict) => run.end(verdict),
    });
    void run.ended.then((end: RunEnd) => {
      unwatch();
      if (run.port !== undefined) ports.delete(run.port);
      if (end.survivors.length > 0) {
        this.#host.logger.warn('Processes of a server do not end.', {
          slug: this.copy.slug,
          pids: end.survivors,
        });
      }
      onEnded(this.copy);
    });
  }

  #insistEnded(survivors: readonly number[]): void {
    if (survivors.length === 0) return;
    throw mcpError(
      'PROVIDER_FAILED',
      `Expected every process of ${this.copy.slug} to end, but ${survivors.join(', ')} withstood SIGKILL; ` +
        'they hang in the system or belong to another user: end them by hand.',
      { details: { pids: survivors } },
    );
  }

  readonly #isOurs = (marks: CopyMarks): boolean => copyKey(marks) === copyKey(this.#marks);
}
