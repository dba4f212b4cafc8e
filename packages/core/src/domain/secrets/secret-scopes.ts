/** Who wants to name the secrets of a scope. */
export interface ScopeRequest {
  /** As the reference names it: `secret_ref:<scope>:<KEY>`. */
  readonly scope: string;
  /** The tenant of the instance; '' where the host has none. */
  readonly tenant: string;
  /** The instance; '' where it has no id yet, as in a plan. */
  readonly instanceId: string;
  /** On whose behalf a session is opened, where there is one. */
  readonly principal: string | null;
}

/** Decides whose secrets an instance may name. Only `true` allows; what throws refuses. */
export type AllowScope = (request: ScopeRequest) => boolean;

/** The scope of what core itself keeps in the secret store; no document gets a value of it. */
export const reservedScope = 'mcpinfra';

/** The scope of what belongs to the caller of a session. */
export const userScope = 'user';

const ofAnInstance = /^instance_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

/** The scope in the secret store under which an instance's own secrets are kept. */
export function secretScopeOf(instanceId: string): string {
  return `instance_${instanceId}`;
}

/**
 * Whether a scope is nobody's to name: another instance's, whether or not there is such an instance, or core's own. No
 * host can allow it.
 */
export function isForeignScope(scope: string, instanceId: string): boolean {
  if (scope === reservedScope) return true;
  return ofAnInstance.test(scope) && scope !== secretScopeOf(instanceId);
}

/** What holds where the host decides nothing: without tenants every scope, with tenants what belongs to the asker. */
export function allowsByTenant({ scope, tenant, principal }: ScopeRequest): boolean {
  if (tenant === '') return true;
  return scope === userScope ? principal !== null : scope === `tenant_${tenant}`;
}
