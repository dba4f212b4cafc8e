import type { JsonSpec } from '../json-spec/json-spec.js';
import type { EnvVariable } from '../env-schema/env-variable.js';
import type { Timestamp } from '../server/mcp-server.js';
import type { MCPServerInstance } from './mcp-server-instance.js';

/** A tool as a server announced it (MCP `Tool`). */
export interface ToolDescription {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly [extra: string]: unknown;
}

/** What the last handshake with a server told. */
export interface HandshakeRecord {
  readonly at: Timestamp;
  readonly era: 'legacy' | 'modern';
  readonly protocolVersion: string;
  readonly serverName: string;
  readonly serverVersion: string;
  readonly tools: readonly ToolDescription[];
  /** What of the tools was left out because it was too much to keep, as a sentence. */
  readonly note?: string | undefined;
}

/** The parts of a definition an instance was made from; it keeps running by them until they are rolled out anew. */
export interface PinnedServer {
  readonly name: string;
  readonly version: string;
  readonly resourceVersion: number;
  readonly dockerImageUrl: string | null;
  readonly jsonSpec: Readonly<Record<string, unknown>>;
  readonly envSchema: readonly EnvVariable[];
}

/** One copy of an instance: the revision and what it runs. */
export interface Copy {
  readonly revision: number;
  /** A digest of everything in the document that, changed, needs a new copy. */
  readonly runHash: string;
  /** The document it runs: defaults merged in, environment complete, references unresolved. */
  readonly spec: JsonSpec;
}

/** What only the controller needs to know of an instance. Stored, never shown. */
export interface InstanceRuntime {
  /** Where its copies live; kept from the first start. */
  readonly placement: string | null;
  /** The copy that is routed. */
  readonly active: Copy | null;
  /** The copy that is being brought up to replace the active one. */
  readonly candidate: Copy | null;
  /** The highest revision ever given; never goes back. */
  readonly lastRevision: number;
  /** A generation whose update failed and was rolled back; it is not tried again. */
  readonly refusedGeneration: number | null;
  /** The next start makes a new copy even if the document is the same: after a stop, a sleep or `restart()`. */
  readonly renew: boolean;
  /** Raised when a secret value is known to have changed; a copy made for a lower one is replaced. */
  readonly secretsVersion: number;
  /**
   * A keyed digest of the secrets that the active copy was given, or of those a copy was last refused with; `null` where it
   * is not known. Rows written before there was one do not have it.
   */
  readonly secretFingerprint?: string | null | undefined;
  /** When the delete was asked for. */
  readonly deleteRequestedAt: Timestamp | null;
  /** Failures in a row, for the back-off; reset after a steady run. */
  readonly failures: number;
  /** Since when the active copy has been `running`, for the reset of the back-off. */
  readonly steadySince: Timestamp | null;
  /** An on-demand instance is up while this is in the future. */
  readonly wantedUntil: Timestamp | null;
  readonly pinned: PinnedServer | null;
  readonly handshake: HandshakeRecord | null;
  /** Scopes in the secret store that go when the instance goes. */
  readonly ownedSecretScopes: readonly string[];
  /** Idempotency keys of commands already applied, newest last, at most 16. */
  readonly appliedKeys: readonly string[];
  /** Ties the events of a command and of what followed from it together. */
  readonly correlationId: string;
  /** The epoch of the lease under which it was last written by a worker. */
  readonly leaseEpoch: number;
}

/** A row of the store: the instance as it is shown, and what only the controller needs. */
export interface InstanceRecord extends MCPServerInstance {
  readonly runtime: InstanceRuntime;
}

/** Whether nothing is under way any more for what is wanted: it has come true, or was given up for the copy before. */
export function isAtRest({ generation, observedGeneration, runtime }: InstanceRecord): boolean {
  return observedGeneration === generation || runtime.refusedGeneration === generation;
}

/** Whether it sleeps or is about to, though it may be woken: nobody needs it now. */
export function isAsleep({ desiredState, status }: InstanceRecord): boolean {
  return desiredState === 'running' && (status === 'idle' || status === 'stopping');
}

/** The instance as it is shown: without what only the controller needs. */
export function toInstance(record: InstanceRecord): MCPServerInstance {
  const { runtime: _hidden, ...shown } = record;
  return shown;
}
