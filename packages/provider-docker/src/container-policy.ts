import { posix } from 'node:path';
import {
  containerSpecSchema,
  defaults,
  parseByteSize,
  type ContainerResources,
  type ContainerSpec,
  type Issue,
} from '@mcpinfra/core/plugin';
import type { ResolvedOptions } from './docker-provider-options.js';
import { engineCapabilities } from './isolation.js';

type Policy = Omit<ResolvedOptions, 'connection' | 'networkPool' | 'secretDir'>;

/** The schema of a document under the rules of the host: its defaults are filled in, what it forbids is refused. */
export function policySchema(policy: Policy): typeof containerSpecSchema {
  return containerSpecSchema
    .superRefine((spec, context) => {
      for (const { code, path, message } of forbidden(spec, policy)) {
        context.addIssue({ code: 'custom', path: [...path], message, params: { code } });
      }
    })
    .transform((spec) => ({ ...spec, resources: limitsOf(spec, policy) }));
}

interface Forbidden {
  readonly code: Issue['code'];
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What the host forbids of a document. */
function forbidden(spec: ContainerSpec, policy: Policy): Forbidden[] {
  const capabilities = typeof spec.isolation === 'object' ? (spec.isolation.capabilities ?? []) : [];
  const { memory_limit: memory, cpu_limit: cpus, pids_limit: pids } = spec.resources ?? {};
  const found: Forbidden[] = [];
  const overLimit = (field: string, asked: string | number, most: string | number): void => {
    const message = `${String(asked)} is more than the ${String(most)} that the host allows; ask for less.`;
    found.push({ code: 'over_limit', path: ['resources', field], message });
  };
  const { maxMemory, maxCpus, maxPids } = policy;
  if (memory !== undefined && maxMemory !== undefined && bytesOf(memory) > bytesOf(maxMemory))
    overLimit('memory_limit', memory, maxMemory);
  if (cpus !== undefined && maxCpus !== undefined && Number(cpus) > maxCpus)
    overLimit('cpu_limit', cpus, maxCpus);
  if (pids !== undefined && maxPids !== undefined && pids > maxPids) overLimit('pids_limit', pids, maxPids);
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

/** The limits that apply to a document. */
function limitsOf(spec: ContainerSpec, policy: Policy): Required<ContainerResources> {
  return {
    memory_limit: spec.resources?.memory_limit ?? policy.defaultMemory,
    cpu_limit: spec.resources?.cpu_limit ?? String(policy.defaultCpus),
    pids_limit: spec.resources?.pids_limit ?? policy.defaultPids,
  };
}

/** Reads a size that was checked where it came in. */
export function bytesOf(size: string | undefined): number {
  return parseByteSize(size ?? '') ?? parseByteSize(defaults.memoryLimit) ?? Infinity;
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
