import type { Provider } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from './process-spec.js';
import { resolveOptions, type ProcessProviderOptions } from './process-provider-options.js';
import { ProcessRuntime } from './process-runtime.js';

/**
 * Makes the provider for `json_spec.type: 'process'`, which runs MCP servers as child processes of this one.
 *
 * For servers the host trusts: a process is bounded and cleaned up, but not walled off from the machine. Does nothing
 * until it is opened; servers end with the process that started them.
 *
 * @example
 * ```ts
 * const infra = createMCPInfra({ providers: [processProvider({ allowCommands: ['npx', 'node'] })] });
 * ```
 * @throws `INVALID_OPTIONS` for an unknown option or a value of the wrong kind
 */
export function processProvider(options: ProcessProviderOptions = {}): Provider<ProcessSpec> {
  return new ProcessRuntime(resolveOptions(options));
}
