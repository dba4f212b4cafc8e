import type { EnvVariable } from '../env-schema/env-variable.js';

/** A point in time, ISO 8601 in UTC with milliseconds. */
export type Timestamp = string;

/** Whether instances can be made of a server: only from `active` and, with a warning, from `deprecated`. */
export type MCPServerStatus = 'draft' | 'active' | 'deprecated' | 'disabled';

/** A definition: what can run. Unique by tenant, name and version. */
export interface MCPServer {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly description: string;
  readonly dockerImageUrl: string | null;
  readonly version: string;
  readonly tags: readonly string[];
  readonly status: MCPServerStatus;
  /** A server that is not public is seen only in its own tenant. */
  readonly isPublic: boolean;
  readonly envSchema: readonly EnvVariable[];
  /** Defaults merged under the `jsonSpec` of each instance. */
  readonly jsonSpec: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  /** `rolling` where its last change is wanted for every instance made of it: also for those it has not come to yet. */
  readonly rollout?: 'rolling' | undefined;
  /** Raised by the store with every change. */
  readonly resourceVersion: number;
}
