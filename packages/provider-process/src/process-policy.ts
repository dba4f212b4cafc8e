import { defaults, parseByteSize, type Issue } from '@mcpinfra/core/plugin';
import { processSpecSchema, type ProcessSpec } from './process-spec.js';
import type { ResolvedOptions } from './process-provider-options.js';

/** The schema of a document under the rules of the host: its defaults are filled in, what it forbids is refused. */
export function policySchema(options: ResolvedOptions): typeof processSpecSchema {
  return processSpecSchema
    .superRefine((spec, context) => {
      for (const { code, path, message } of forbidden(spec, options)) {
        context.addIssue({ code: 'custom', path: [...path], message, params: { code } });
      }
    })
    .transform((spec) => ({ ...spec, resources: limitsOf(spec, options) }));
}

/** What the host forbids of a document. */
export function forbidden(spec: ProcessSpec, options: ResolvedOptions): Forbidden[] {
  const found: Forbidden[] = [];
  const command = spec.command[0] ?? '';
  if (options.allowCommands?.has(command) === false) {
    const message = `The host runs only ${[...options.allowCommands].join(', ')} as a process; use one of them, or have this added to allowCommands.`;
    found.push({ code: 'not_a_choice', path: ['command', 0], message });
  }
  const { memory_limit: memory, pids_limit: pids } = spec.resources ?? {};
  if (
    memory !== undefined &&
    options.maxMemory !== undefined &&
    bytesOf(memory) > bytesOf(options.maxMemory)
  ) {
    const message = `${memory} is more than the ${options.maxMemory} that the host allows; ask for less.`;
    found.push({ code: 'over_limit', path: ['resources', 'memory_limit'], message });
  }
  if (pids !== undefined && options.maxPids !== undefined && pids > options.maxPids) {
    const message = `${pids} is more than the ${options.maxPids} that the host allows; ask for less.`;
    found.push({ code: 'over_limit', path: ['resources', 'pids_limit'], message });
  }
  return found;
}

interface Forbidden {
  readonly code: Issue['code'];
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The limits that apply to a document. */
export function limitsOf(
  spec: ProcessSpec,
  options: ResolvedOptions,
): { memory_limit: string; pids_limit: number } {
  return {
    memory_limit: spec.resources?.memory_limit ?? options.defaultMemory,
    pids_limit: spec.resources?.pids_limit ?? options.defaultPids,
  };
}

/** Reads a size that was checked where it came in. */
export function bytesOf(size: string): number {
  return parseByteSize(size) ?? parseByteSize(defaults.memoryLimit) ?? Infinity;
}
