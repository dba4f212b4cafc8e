import {
  forbidding,
  forbiddenResources,
  resourcesOf,
  type AppliedResources,
  type Forbidden,
} from '@mcpinfra/core/plugin';
import { processSpecSchema, type ProcessSpec } from './process-spec.js';
import type { ResolvedOptions } from './process-provider-options.js';

/** The schema of a document under the rules of the host: its defaults are filled in, what it forbids is refused. */
export function policySchema(options: ResolvedOptions): typeof processSpecSchema {
  return forbidding(processSpecSchema, (spec) => forbidden(spec, options)).transform((spec) => ({
    ...spec,
    resources: limitsOf(spec, options),
  }));
}

/** What the host forbids of a document. */
export function forbidden(spec: ProcessSpec, options: ResolvedOptions): Forbidden[] {
  const found: Forbidden[] = [];
  const command = spec.command[0] ?? '';
  if (options.allowCommands?.has(command) === false) {
    const message = `The host runs only ${[...options.allowCommands].join(', ')} as a process; use one of them, or have this added to allowCommands.`;
    found.push({ code: 'not_a_choice', path: ['command', 0], message });
  }
  return [...found, ...forbiddenResources(spec.resources, options.limits)];
}

/** The limits that apply to a document. */
export function limitsOf(
  spec: ProcessSpec,
  { limits }: ResolvedOptions,
): Omit<AppliedResources, 'cpu_limit'> {
  const { memory_limit, pids_limit } = resourcesOf(spec.resources, limits);
  return { memory_limit, pids_limit };
}
