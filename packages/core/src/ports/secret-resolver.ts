import type { Secret } from '../domain/secrets/secret.js';
import type { SecretReference } from '../domain/secrets/secret-reference.js';
import type { CallOptions } from './common.js';

/**
 * Gives the values of references. Asked in batches, once for each start; core never stores what it gets.
 *
 * Shows no value when it is printed itself, as happens to a host's options in a log.
 */
export interface SecretResolver {
  readonly specificationVersion: 'v1';
  /** The name in logs and errors, for example `infisical`. */
  readonly name: string;
  /**
   * Returns the values it has, by `<scope>:<KEY>`. One that it does not have is left out: the next resolver is asked.
   *
   * A batch of any size, also empty or with repetitions, is one call; the answer holds nothing that was not asked for.
   * Scopes and keys are case-sensitive, and values come exactly as they were written. Nobody has to be known to it: the
   * context may name an instance it has never heard of and no principal.
   *
   * @throws `SECRET_BACKEND_FAILED` when it cannot tell; messages never hold a value
   * @throws `ABORTED` when the signal was aborted
   */
  resolve(
    references: readonly SecretReference[],
    context: SecretContext,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>>;
  /** Connects, where there is something to connect to. Nothing else is called before it has resolved. */
  open?(options?: CallOptions): Promise<void>;
  /** Disconnects. Idempotent. */
  close?(options?: CallOptions): Promise<void>;
}

/** For whom secrets are resolved. */
export interface SecretContext {
  readonly instanceId: string;
  readonly tenant: string;
  /** The caller on whose behalf a session is opened, where there is one. */
  readonly principal: string | null;
}

/** How a secret store is called to write. */
export interface SecretWriteOptions extends CallOptions {
  /** On behalf of which instance; left out for what belongs to none. */
  readonly context?: SecretContext | undefined;
}

/**
 * A resolver that can also be written to. Every method can be repeated and called at the same time as any other; errors
 * never hold a value.
 */
export interface SecretStore extends SecretResolver {
  /** Whether values outlive the process: another object on the same backend resolves them. */
  readonly durable: boolean;
  /**
   * Writes a value; an earlier one is replaced. Resolves when it is durable and every later `resolve` gives it. An empty
   * value is a value, not the absence of one.
   */
  put(reference: SecretReference, value: Secret, options?: SecretWriteOptions): Promise<void>;
  /** Absent resolves. */
  delete(reference: SecretReference, options?: SecretWriteOptions): Promise<void>;
  /** Deletes everything under exactly this scope, nothing under one that only begins alike. Absent resolves. */
  deleteScope(scope: string, options?: SecretWriteOptions): Promise<void>;
  /**
   * Returns the references under exactly this scope, in any order; none for a scope it has never heard of. No value is
   * read. Without it, what a process that died left behind stays until its instance is deleted.
   *
   * @throws `SECRET_BACKEND_FAILED` when it cannot tell
   */
  list?(scope: string, options?: SecretWriteOptions): Promise<readonly SecretReference[]>;
}
