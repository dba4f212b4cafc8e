import { isObject } from '../../domain/is-object.js';
import type { MCPServerInstance } from '../../domain/instance/mcp-server-instance.js';
import { isReferencePlace } from '../../domain/json-spec/reference-places.js';
import {
  parseSecretReference,
  secretId,
  type SecretReference,
} from '../../domain/secrets/secret-reference.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

type Members = Readonly<Record<string, unknown>>;

/**
 * Puts, in place of values in clear that an instance keeps already, the references it has for them, so that wanting the
 * same again writes no secret anew and replaces no copy. Values that differ stay in clear, for admission to keep.
 */
export async function withKeptSecrets(
  context: ServiceContext,
  wanted: {
    readonly instance: Pick<MCPServerInstance, 'id' | 'tenant' | 'jsonSpec'>;
    readonly jsonSpec: unknown;
  },
  options: CommandOptions,
): Promise<unknown> {
  const { instance, jsonSpec } = wanted;
  if (!context.secretStore || !isObject(jsonSpec)) return jsonSpec;
  const found = kept(instance, jsonSpec);
  if (found.length === 0) return jsonSpec;
  const values = await context.secretStore.resolve(
    found.map(({ reference }) => reference),
    { instanceId: instance.id, tenant: instance.tenant, principal: null },
    { signal: options.signal },
  );
  const result: Record<string, unknown> = { ...jsonSpec };
  for (const { part, name, text, reference, written } of found) {
    if (values.get(secretId(reference))?.reveal() !== text) continue;
    result[part] = { ...(result[part] as Members), [name]: written };
  }
  return result;
}

interface KeptSecret {
  readonly part: string;
  readonly name: string;
  readonly text: string;
  readonly written: string;
  readonly reference: SecretReference;
}

function kept(
  { id, jsonSpec: existing }: Pick<MCPServerInstance, 'id' | 'jsonSpec'>,
  wanted: Members,
): KeptSecret[] {
  const scope = secretScopeOf(id);
  return Object.entries(wanted).flatMap(([part, members]) => {
    const before: unknown = Object.hasOwn(existing, part) ? Reflect.get(existing, part) : undefined;
    if (!isReferencePlace(part) || !isObject(members) || !isObject(before)) return [];
    return Object.entries(members).flatMap(([name, text]): KeptSecret[] => {
      const written = Object.hasOwn(before, name) ? before[name] : undefined;
      const reference = typeof written === 'string' ? parseSecretReference(written) : undefined;
      if (typeof text !== 'string' || typeof written !== 'string' || reference?.scope !== scope) return [];
      return text === written ? [] : [{ part, name, text, written, reference }];
    });
  });
}
