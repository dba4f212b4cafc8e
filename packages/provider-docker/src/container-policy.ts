import { posix } from 'node:path';
import {
  containerSpecSchema,
  forbidding,
  forbiddenResources,
  resourcesOf,
  type ContainerSpec,
  type Forbidden,
} from '@mcpinfra/core/plugin';
import type { ResolvedOptions } from './docker-provider-options.js';
import { engineCapabilities } from './isolation.js';

type Policy = Omit<ResolvedOptions, 'connection' | 'networkPool' | 'secretDir'>;

/** The schema of a document under the rules of the host: its defaults are filled in, what it forbids is refused. */
export function policySchema(policy: Policy): typeof containerSpecSchema {
  return forbidding(containerSpecSchema, (spec) => forbidden(spec, policy)).transform((spec) => ({
    ...spec,
    resources: resourcesOf(spec.resources, policy.limits),
  }));
}

/** What the host forbids of a document. */
function forbidden(spec: ContainerSpec, policy: Policy): Forbidden[] {
  const capabilities = typeof spec.isolation === 'object' ? (spec.isolation.capabilities ?? []) : [];
  const found: Forbidden[] = [...forbiddenResources(spec.resources, policy.limits)];
  for (const [index, { source }] of (spec.volumes ?? []).entries()) {
    if (isAllowed(source, policy.allowVolumes)) continue;
    const allowed = policy.allowVolumes.length === 0 ? 'nothing' : policy.allowVolumes.join(', ');
    const message = `The host allows mounting ${allowed}, not ${source}; have it added to allowVolumes of dockerProvider.`;
    found.push({ code: 'not_a_choice', path: ['volumes', index, 'source'], message });
  }
  for (const [index, name] of capabilities.entries()) {
    if (engineCapabilities.includes(name) || policy.allowCapabilities.includes(name)) continue;
    const message = `The host does not grant ${name}; have it added to allowCapabilities of dockerProvider.`;
    found.push({ code: 'not_a_choice', path: ['isolation', 'capabilities', index], message });
  }
  return found;
}

/** A directory is allowed with everything below it, a volume by its name. */
function isAllowed(source: string, allowed: readonly string[]): boolean {
  if (!source.startsWith('/')) return allowed.includes(source);
  const path = posix.normalize(source).replace(/(?<=.)\/$/u, '');
  return allowed.some((entry) => {
    if (!entry.startsWith('/')) return false;
    const directory = posix.normalize(entry).replace(/\/$/u, '');
    return path === directory || path.startsWith(`${directory}/`);
  });
}
