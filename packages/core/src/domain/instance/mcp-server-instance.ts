import type { ErrorCode } from '../errors/error-codes.js';
import type { JsonSpec } from '../json-spec/json-spec.js';
import type { Timestamp } from '../server/mcp-server.js';

/** Every status there is. */
export const instanceStatuses = [
  'pending',
  'pulling',
  'starting',
  'running',
  'unhealthy',
  'stopping',
  'stopped',
  'idle',
  'failed',
  'deleting',
] as const;

/** Where an instance is in its life. One reducer owns every change of it. */
export type InstanceStatus = (typeof instanceStatuses)[number];

/** Whether an instance in this status has a copy that clients are sent to. */
export function isServing({ status }: { readonly status: InstanceStatus }): boolean {
  return status === 'running' || status === 'unhealthy';
}

/** What is wanted of an instance. */
export type DesiredState = 'running' | 'stopped';

/** What the last probes said. */
export type HealthState = 'unknown' | 'healthy' | 'unhealthy' | 'unauthorized';

/** The description of how a server is reached; without credentials. */
export interface Endpoint {
  readonly transport: 'streamable-http' | 'sse' | 'stdio';
  /** The address, for the transports over HTTP. */
  readonly url?: string | undefined;
}

/** How a process or container ended. */
export interface ExitRecord {
  readonly at: Timestamp;
  readonly exitCode: number | null;
  /** The name of the signal that ended it, for example `SIGKILL`. */
  readonly signal: string | null;
  readonly oomKilled: boolean;
  /** The last lines it wrote, oldest first, at most 20, known secret values replaced. */
  readonly lastLogLines: readonly string[];
  /** A narrower reason than the exit code, where the provider knows one. */
  readonly code?: ErrorCode | undefined;
}

/** What a probe that failed saw. */
export interface FailedProbe {
  /** When a probe first saw this. */
  readonly at: Timestamp;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Health as it is known. */
export interface HealthRecord {
  /** `unknown` where it cannot be asked: before the first probe, and while the engine is away. */
  readonly state: HealthState;
  readonly message: string;
  readonly since: Timestamp;
  /**
   * What the last probe saw, where it failed: told at once, also before so many have failed that the state changes.
   * Written anew when another failure is seen, without an event of its own.
   */
  readonly lastProbe?: FailedProbe | undefined;
}

/** An update whose new copy did not become ready; the copy before it serves on. */
export interface UpdateFailure {
  /** The generation that could not be made true. */
  readonly generation: number;
  /** Why the new copy did not become ready. */
  readonly reason: ErrorCode;
  /** A sentence for people that says what to do. */
  readonly message: string;
  /** When its first try failed. */
  readonly since: Timestamp;
  /** When its last try failed. */
  readonly at: Timestamp;
  /** How many tries failed. */
  readonly attempts: number;
  /** When the next try is; `null` once it is given up and waits for another update. */
  readonly nextRetryAt: Timestamp | null;
  /** How the new copy ended, where it did. */
  readonly lastExit: ExitRecord | null;
}

/** Why an instance is in its status. */
export interface StatusDetail {
  /**
   * A code of the error table, or `''` where nothing is wrong. What failed last stays told while it is tried again, until
   * the server is ready.
   */
  readonly reason: ErrorCode | '';
  /** A sentence for people that says what to do, or `''`. */
  readonly message: string;
  /** Since when the status holds. */
  readonly since: Timestamp;
  /** Restarts after crashes since the last time it ran steadily. */
  readonly restartCount: number;
  /** When the next try is; `null` where none is planned. */
  readonly nextRetryAt: Timestamp | null;
  readonly lastExit: ExitRecord | null;
  readonly endpoint: Endpoint | null;
  readonly health: HealthRecord;
  /** The update that fails, until one succeeds or another is wanted; absent where none does. */
  readonly update?: UpdateFailure | undefined;
}

/** A configured copy of a server. */
export interface MCPServerInstance<TSpec extends JsonSpec = JsonSpec> {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly description: string;
  /** The server it was made of, or `null` for one that stands alone. */
  readonly serverSpecId: string | null;
  /** The server's `resourceVersion` it was made from, or `null`. */
  readonly serverResourceVersion: number | null;
  /** The document as it was given: with references, never with secret values. */
  readonly jsonSpec: TSpec;
  /** Stable for life: `<name>-<8 hex>`. */
  readonly slug: string;
  readonly desiredState: DesiredState;
  readonly status: InstanceStatus;
  readonly statusDetail: StatusDetail;
  /** Raised with every change of what is wanted. */
  readonly generation: number;
  /** The generation that has come true; lower than `generation` while a change is under way, and after it was rolled back. */
  readonly observedGeneration: number;
  /** The public address at the gateway, where the host set `gatewayUrl`; otherwise `null`. */
  readonly url: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly resourceVersion: number;
}
