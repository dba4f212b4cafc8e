import type { ErrorCode } from '../errors/error-codes.js';
import type { Endpoint, HealthState, InstanceStatus } from '../instance/mcp-server-instance.js';
import type { JsonSpec } from '../json-spec/json-spec.js';
import type { MCPServer } from '../server/mcp-server.js';

/** What every event about an instance says. */
export interface InstanceSubject {
  readonly instanceId: string;
  readonly name: string;
  readonly slug: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Somebody changed what is wanted: everything a manager needs, references but never secret values. */
export interface InstanceWish extends InstanceSubject {
  readonly serverSpecId: string | null;
  readonly desiredState: 'running' | 'stopped';
  readonly generation: number;
  readonly jsonSpec: JsonSpec;
}

/** What every event about a server says. */
export interface ServerSubject {
  readonly serverId: string;
  readonly name: string;
  readonly version: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A definition as an event carries it; its `resourceVersion` is that of the event. */
export type ServerDefinition = Omit<MCPServer, 'resourceVersion'>;

/** Somebody changed what can run: the whole of it, so that the events alone tell what there is. */
export interface ServerWish extends ServerSubject {
  /** Absent in events that an earlier version wrote. */
  readonly definition?: ServerDefinition | undefined;
}

/** Every event of the library by its type; closed. */
export interface EventMap {
  readonly MCPServerCreated: ServerWish;
  readonly MCPServerUpdated: ServerWish;
  readonly MCPServerDeleted: ServerSubject;
  readonly MCPServerInstanceCreated: InstanceWish;
  readonly MCPServerInstanceUpdated: InstanceWish;
  readonly MCPServerInstanceStarted: InstanceWish;
  readonly MCPServerInstanceStopped: InstanceWish;
  readonly MCPServerInstanceDeleted: InstanceWish;
  readonly MCPServerInstanceStatusChanged: InstanceSubject & {
    readonly from: InstanceStatus;
    readonly to: InstanceStatus;
    readonly reason: ErrorCode | '';
    readonly message: string;
    readonly endpoint: Endpoint | null;
    readonly health: HealthState;
    readonly restartCount: number;
    readonly nextRetryAt: string | null;
    /** The generation that the status speaks of: what was wanted by then has come true, or is told to have failed. */
    readonly observedGeneration: number;
    /** How long the status before this one lasted, in milliseconds. */
    readonly lastedMs: number;
    /** How many tools the server announced; `null` where it is not known. */
    readonly toolCount: number | null;
  };
  readonly MCPServerInstancePullProgress: InstanceSubject & {
    readonly image: string;
    readonly completedBytes: number;
    readonly totalBytes: number | null;
  };
  readonly MCPServerInstanceSecretsRotated: InstanceSubject & {
    /** The copy that was given the values before, and is replaced; `0` where none runs. */
    readonly revision: number;
  };
  readonly MCPServerInstanceToolsChanged: InstanceSubject & {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  readonly MCPServerInstanceEgressDenied: InstanceSubject & {
    readonly destination: string;
    readonly grant: string;
  };
  readonly MCPServerInstanceRemoved: InstanceSubject;
  readonly GatewayCallAudited: InstanceSubject & {
    readonly principal: string;
    readonly method: string;
    readonly tool: string | null;
    readonly outcome: 'ok' | 'error' | 'denied';
    readonly durationMs: number;
  };
  readonly FleetDegraded: { readonly part: string; readonly reason: ErrorCode; readonly message: string };
  readonly FleetRecovered: { readonly part: string };
}

/** The name of an event. */
export type EventType = keyof EventMap;

/** The names of all events, for checking what comes in. */
export const eventTypes: ReadonlySet<string> = new Set<EventType>([
  'MCPServerCreated',
  'MCPServerUpdated',
  'MCPServerDeleted',
  'MCPServerInstanceCreated',
  'MCPServerInstanceUpdated',
  'MCPServerInstanceStarted',
  'MCPServerInstanceStopped',
  'MCPServerInstanceDeleted',
  'MCPServerInstanceStatusChanged',
  'MCPServerInstancePullProgress',
  'MCPServerInstanceSecretsRotated',
  'MCPServerInstanceToolsChanged',
  'MCPServerInstanceEgressDenied',
  'MCPServerInstanceRemoved',
  'GatewayCallAudited',
  'FleetDegraded',
  'FleetRecovered',
]);
