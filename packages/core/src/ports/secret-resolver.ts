import type { Secret } from '../domain/secrets/secret.js';
import type { SecretReference } from '../domain/secrets/secret-reference.js';
import type { CallOptions } from './common.js';

/**
 * Gives the values of references. Asked in batches, once for each start; core never stores what it gets.
 */
export interface SecretResolver {
  readonly specificationVersion: 'v1';
  /** The name in logs and errors, for example `infisical`. */
  readonly name: string;
  /**
   * Returns the values it has, by `<scope>:<KEY>`. One that it does not have is left out: the next resolver is asked.
   *
   * @throws `SECRET_BACKEND_FAILED` when it cannot tell; messages never hold a value
   */
  resolve(
    references: readonly SecretReference[],
    context: SecretContext,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>>;
  open?(options?: CallOptions): Promise<void>;
  close?(options?: CallOptions): Promise<void>;
}

/** For whom secrets are resolved. */
export interface SecretContext {
  readonly instanceId: string;
  readonly tenant: string;
  /** The caller on whose behalf a session is opened, where there is one. */
  readonly principal: string | null;
}

/** A resolver that can also be written to. */
export interface SecretStore extends SecretResolver {
  /** Whether values outlive the process. */
  readonly durable: boolean;
  /** Writes a value; an earlier one is replaced. Resolves when it is durable. */
  put(reference: SecretReference, value: Secret, options?: CallOptions): Promise<void>;
  /** Absent resolves. */
  delete(reference: SecretReference, options?: CallOptions): Promise<void>;
  /** Deletes everything under a scope. Absent resolves. */
  deleteScope(scope: string, options?: CallOptions): Promise<void>;
}
