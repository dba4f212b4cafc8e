import type { Readable, Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { ZodType } from 'zod';
import type { Endpoint, ExitRecord } from '../domain/instance/mcp-server-instance.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { Secret } from '../domain/secrets/secret.js';
import type { Timestamp } from '../domain/server/mcp-server.js';
import type { CallOptions, Unsubscribe, PartReport } from './common.js';
import type { Logger } from './logger.js';

/**
 * Runs the instances of one `json_spec.type`. It reports what it sees; core alone decides on status, retries, restarts
 * and time limits, so a provider never restarts anything by itself.
 *
 * Core calls it through a guard: every call has a deadline and may be aborted at any point. After an abort the provider
 * may have made the copy or not: core asks again or destroys it.
 *
 * Every copy is known by its {@link CopyRef}; whatever is made carries fleet, store, instance and revision as labels,
 * so that it can be found again after any crash.
 */
export interface Provider<TSpec extends JsonSpec = JsonSpec> {
  readonly specificationVersion: 'v1';
  /** The `json_spec.type` it runs. */
  readonly type: TSpec['type'];
  /** Parses a document of its type. Unknown keys are errors. Host-wide defaults and maxima are applied here. */
  readonly specSchema: ZodType<TSpec>;
  /**
   * Prepares for work; called once before anything else: until then {@link Provider.ensureRunning} and
   * {@link Provider.list} reject with `NOT_STARTED`. A backend that is away is no error: later calls reject, with an error
   * that is retryable.
   *
   * @throws `INVALID_OPTIONS` for what only a host can mend
   */
  open(context: ProviderContext, options?: CallOptions): Promise<void>;
  /**
   * Where its copies live, stable over restarts: the id of an engine, of a machine, or `*` for what lives nowhere.
   *
   * What lives nowhere cannot be gone and cannot be restarted: core takes its row for the truth, compares it with no
   * {@link Provider.list}, fails a start at the first probe that fails, and goes on probing what is unhealthy.
   *
   * @throws when the backend is away
   */
  placement(options?: CallOptions): Promise<string>;
  /** Whether its copies end with the process that made them, so that no other worker can take them over; absent means no. */
  readonly copiesEndWithProcess?: boolean;
  /**
   * Whether its documents name an image in `image`, which the definition's `dockerImageUrl` fills where they do not; absent
   * means no.
   */
  readonly runsImages?: boolean;
  /**
   * Whether all that {@link Provider.prepare} would fetch is there already. A quick look: what is there need not wait behind
   * what is being fetched for others. Absent means that nobody knows, so that `prepare` is always called.
   */
  isPrepared?(request: RunRequest<TSpec>, options?: CallOptions): Promise<boolean>;
  /**
   * Gets ready what a start needs and may take long, such as an image. Idempotent; core bounds how many run at once.
   *
   * It tells of its progress as soon as something has to be fetched: until then it is a look with the deadline of an
   * ordinary call, and only from then on has it that of a fetch.
   */
  prepare?(request: RunRequest<TSpec>, options?: CallOptions): Promise<void>;
  /**
   * Makes the copy of this revision run: absent it is made, ended it is started again as it is, running it is left
   * alone. Idempotent per instance and revision. Resolves when the process runs, not when the server answers.
   *
   * An abort ends it at any point, also while the environment is waited for. What it has made by then is found by
   * {@link Provider.list} and removed by {@link Provider.destroy}.
   *
   * @returns an observation whose state is `running` or, when it ended meanwhile, `exited`
   * @throws the code of why it cannot run, for example `COMMAND_NOT_FOUND`; nothing half-made is left
   */
  ensureRunning(request: RunRequest<TSpec>, options?: CallOptions): Promise<Observation>;
  /** Ends the copy's processes, politely for `graceMs`, then by force, and keeps what a restart needs. Absent resolves. */
  ensureStopped(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void>;
  /** Removes the copy and everything made for it, processes of processes included. Absent resolves. */
  destroy(copy: CopyRef, stop: StopRequest, options?: CallOptions): Promise<void>;
  /** What is true of a copy now; absence is a value. */
  observe(copy: CopyRef, options?: CallOptions): Promise<Observation>;
  /** Everything labelled with our fleet, whatever its store, instance and revision. */
  list(options?: CallOptions): Promise<readonly OwnedCopy[]>;
  /** Hints that something happened to a copy. May repeat and may lose: core looks for itself. */
  watch?(listener: (copy: CopyRef) => void): Unsubscribe;
  /**
   * The way to the server: the only one, for probes, clients and gateway alike. Opens nothing over HTTP.
   *
   * @throws `INSTANCE_NOT_READY` for a copy that does not run
   */
  dial(target: DialTarget<TSpec>, options?: CallOptions): Promise<Dialed>;
  /**
   * Lines the server wrote, oldest first, known secret values replaced. Ends at the end of what is there, or with `follow`
   * when aborted. A copy that is absent has none.
   */
  logs?(copy: CopyRef, query: LogQuery, options?: CallOptions): AsyncIterable<LogLine>;
  /** Whether two revisions of a document can run side by side; absent means yes. */
  canOverlap?(spec: TSpec): boolean;
  /** What a spec needs beyond the schema, checked without side effects; absent means nothing. */
  doctor?(options?: CallOptions): Promise<readonly Prerequisite[]>;
  /** Lets go of the backend; nothing is started afterwards. Copies that can outlive the process do. Idempotent. */
  close(options?: CallOptions): Promise<void>;
}

/** What a provider is told when it is opened. */
export interface ProviderContext {
  readonly fleet: string;
  readonly storeId: string;
  readonly logger: Logger;
  /** To be told of what the provider does by itself. */
  readonly report?: PartReport | undefined;
}

/** Names one copy of an instance. */
export interface CopyRef {
  readonly instanceId: string;
  readonly revision: number;
  /** Part of the copy's name in the backend: `mcp-<slug>-r<revision>`. */
  readonly slug: string;
}

/** What is to run. */
export interface RunRequest<TSpec extends JsonSpec = JsonSpec> {
  readonly copy: CopyRef;
  /** The document with all defaults; its environment is complete and holds references where secrets are. */
  readonly spec: TSpec;
  readonly instanceName: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Resolves the environment, `MCP_*` variables included. Called only when a copy has to be made, since it asks the
   * secret backends; what it gives is never logged, put into argv, or kept longer than the copy needs it.
   */
  environment(): Promise<Readonly<Record<string, string | Secret>>>;
  /** Resolves references elsewhere in the spec. */
  secrets(): Promise<SecretBundle>;
  /** Told how far a long step is. */
  readonly onProgress: (progress: Progress) => void;
}

/** The resolved references of one document. */
export interface SecretBundle {
  /** Replaces the references a text is or contains. */
  render(text: string): Secret;
  /** Every value, for replacing it in logs and errors. */
  readonly values: readonly Secret[];
}

/** How far a pull is. */
export interface Progress {
  readonly phase: 'pulling';
  readonly image: string;
  readonly completedBytes: number;
  readonly totalBytes: number | null;
}

/** How a copy is to be ended. */
export interface StopRequest {
  readonly graceMs: number;
}

/** What a provider saw of one copy. */
export type Observation =
  | { readonly state: 'absent' }
  | { readonly state: 'running'; readonly startedAt: Timestamp; readonly endpoint: Endpoint }
  | { readonly state: 'exited'; readonly exit: ExitRecord };

/** A copy found by its labels. */
export interface OwnedCopy {
  readonly copy: CopyRef;
  readonly storeId: string;
  readonly state: 'running' | 'exited';
  readonly createdAt: Timestamp;
}

/** Whose server is dialled. */
export interface DialTarget<TSpec extends JsonSpec = JsonSpec> {
  readonly copy: CopyRef;
  readonly spec: TSpec;
  secrets(): Promise<SecretBundle>;
}

/** An open way to a server. */
export type Dialed =
  | {
      readonly kind: 'http';
      readonly transport: 'streamable-http' | 'sse';
      readonly url: URL;
      /** Headers for each request: credentials and the Host the server insists on. */
      headers(options?: CallOptions): Promise<Readonly<Record<string, string>>>;
      /** Connects by the provider's rules, for example only to public addresses. Absent: a plain keep-alive agent. */
      readonly dispatcher?: Dispatcher | undefined;
    }
  | { readonly kind: 'stdio'; readonly channel: StdioChannel };

/**
 * The standard streams of a running server. One owner at a time reads and writes them.
 */
export interface StdioChannel {
  readonly input: Writable;
  readonly output: Readable;
  /**
   * Whether this run of the server may have been written to over an earlier channel, whose owner may have died within a
   * line. Absent means no: the first message is then the first thing that the server reads.
   */
  readonly wasUsed?: boolean | undefined;
  /** Lets go of the streams without ending the server. Idempotent. */
  close(): void;
}

/** Which log lines are asked for. */
export interface LogQuery {
  /** How many of the newest lines; all that are kept when left out. */
  readonly tail?: number | undefined;
  /** Go on with lines as they are written. */
  readonly follow?: boolean | undefined;
}

/** A line a server wrote. */
export interface LogLine {
  readonly at: Timestamp;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Something the library needs, and whether it is there. */
export interface Prerequisite {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what mends it. */
  readonly message: string;
}
