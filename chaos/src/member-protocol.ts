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

/** What the API process is asked to do. */
export type Request =
  | { readonly ask: 'create'; readonly name: string; readonly transport: 'stdio' | 'http' }
  | { readonly ask: 'update'; readonly id: string; readonly value: string }
  | { readonly ask: 'stop' | 'start' | 'restart' | 'delete' | 'call'; readonly id: string }
  | { readonly ask: 'list' };

/** A request as it is sent: one that is repeated with the same key is done once. */
export interface SentRequest {
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
  /** Whether what was last asked for has come true. */
  readonly settled: boolean;
}

/** The groups whose subscribers note what they handle: one of the API process, one that the workers share. */
export const auditGroups = { api: 'audit-api', worker: 'audit-workers' } as const;
