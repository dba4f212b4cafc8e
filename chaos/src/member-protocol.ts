/** What a member of the fleet is started with. */
export interface MemberConfig {
  readonly role: 'api' | 'worker';
  readonly postgresUrl: string;
  readonly redisUrl: string;
  readonly dockerSocket: string;
  readonly peerKey: string;
  /** Where it writes what it has handled: a line for each event, with the group and the event's id. */
  readonly handledFile: string;
  /** Where it logs. */
  readonly logFile: string;
}

/** What a process is asked to do: most of it the API process, `health` and `hold-pool` any. */
export type Request =
  | { readonly ask: 'create'; readonly name: string; readonly transport: 'stdio' | 'http' }
  | { readonly ask: 'update'; readonly id: string; readonly value: string }
  | { readonly ask: 'stop' | 'start' | 'restart' | 'delete' | 'call'; readonly id: string }
  | { readonly ask: 'list' | 'health' }
  /** Takes all connections of its database pool, and answers when it has given them back. */
  | { readonly ask: 'hold-pool'; readonly forMs: number };

/** The tenants of the fleet, who must not hear of each other. */
export const tenants = ['one', 'other'] as const;

/** One of {@link tenants}. */
export type Tenant = (typeof tenants)[number];

/** A request as it is sent: one that is repeated with the same key is done once. */
export interface SentRequest {
  readonly tenant: Tenant;
  readonly number: number;
  readonly key: string;
  readonly request: Request;
}

/** The answer to a request. */
export type Answer =
  | { readonly number: number; readonly ok: true; readonly result: unknown }
  | { readonly number: number; readonly ok: false; readonly code: string; readonly message: string };

/** An instance as the API process lists it. */
export interface ListedInstance {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** What its last probe said: `healthy`. */
  readonly health: string;
  /** Whether what was last asked for has come true. */
  readonly settled: boolean;
}

/** What `health()` of a process says. */
export interface ToldHealth {
  readonly status: string;
  /** The parts that do not work, with a sentence for each. */
  readonly degraded: Readonly<Record<string, string>>;
}

/** The groups whose subscribers note what they handle: one of the API process, one that the workers share. */
export const auditGroups = { api: 'audit-api', worker: 'audit-workers' } as const;

/** The groups of a tenant, which hear what is its own and nothing else. */
export const groupOf = (group: string, tenant: Tenant): string => `${group}-${tenant}`;

/** How the health of every server is known, in seconds: often, so that a short run has time to see it. */
export const healthCheck = { interval: 2, timeout: 3, retries: 2 } as const;
