import { hear } from '../../async/thenable.js';
import { pointer, type Issue } from '../../domain/errors/issue.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { placedReferences } from '../../domain/json-spec/collect-references.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import {
  allowsByTenant,
  isForeignScope,
  secretScopeOf,
  userScope,
} from '../../domain/secrets/secret-scopes.js';
import { formatSecretReference, type SecretReference } from '../../domain/secrets/secret-reference.js';
import type { SecretContext } from '../../ports/secret-resolver.js';
import type { ServiceContext } from './service-context.js';

type ScopeContext = Pick<ServiceContext, 'settings' | 'logger'>;

/** Whose document it is. */
export interface SecretOwner {
  /** '' where it has no id yet. */
  readonly id: string;
  readonly tenant: string;
}

const remedy = 'Name a secret of its own, or have the host allow the scope by allowScope.';

/** The references of a document whose secrets its instance may not have, each a fault. Asks no backend. */
export function forbiddenReferences(
  context: ScopeContext,
  { id: instanceId, tenant }: SecretOwner,
  spec: JsonSpec,
): Issue[] {
  return placedReferences(spec).flatMap(({ path, reference }): Issue[] => {
    // Who the user is shows only when a session is opened.
    const principal = reference.scope === userScope && context.settings.allowScope === null ? '' : null;
    if (mayName(context, reference.scope, { instanceId, tenant, principal })) return [];
    const message = `This instance may not name ${formatSecretReference(reference)}. ${remedy}`;
    return [{ path: pointer(...path), code: 'forbidden_reference', message }];
  });
}

/** @throws `SECRET_FORBIDDEN` unless who asks may have all of them; it tells nothing of whether they exist */
export function refuseForbidden(
  context: ScopeContext,
  references: readonly SecretReference[],
  asker: SecretContext,
): void {
  const refused = references.filter(({ scope }) => !mayName(context, scope, asker));
  if (refused.length > 0) throw forbidden(context, refused, asker);
}

function forbidden(
  { settings }: ScopeContext,
  refused: readonly SecretReference[],
  { principal }: SecretContext,
): MCPInfraError {
  const names = refused.map(formatSecretReference);
  const ofUser = settings.allowScope === null && refused.some(({ scope }) => scope === userScope);
  const why =
    ofUser && principal === null ? ` The scope "${userScope}" needs a principal, which nobody gave.` : '';
  return mcpError(
    'SECRET_FORBIDDEN',
    `The instance was given no secrets, since it may not name ${names.join(', ')}.${why} ${remedy}`,
    { details: { references: names } },
  );
}

function mayName({ settings, logger }: ScopeContext, scope: string, asker: SecretContext): boolean {
  const { instanceId, tenant, principal } = asker;
  if (isForeignScope(scope, instanceId)) return false;
  // What core moves out of a document is kept there.
  if (scope === secretScopeOf(instanceId)) return true;
  const request = { scope, tenant, instanceId, principal };
  if (settings.allowScope === null) return allowsByTenant(request);
  try {
    const allowed: unknown = settings.allowScope(request);
    // A promise is no permission, and its rejection ends nothing.
    hear(allowed);
    return allowed === true;
  } catch (cause) {
    logger.warn('allowScope failed, so the scope is refused', { scope, tenant, cause });
    return false;
  }
}
