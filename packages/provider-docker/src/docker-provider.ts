import type { ContainerSpec, Provider } from '@mcpinfra/core/plugin';
import { resolveOptions, type DockerProviderOptions } from './docker-provider-options.js';
import { DockerRuntime } from './docker-runtime.js';

/**
 * Makes the provider for `json_spec.type: 'docker'`, which runs MCP servers as containers of a Docker engine.
 *
 * Containers are hardened unless a document says otherwise, reach nothing, and outlive the host: the next one adopts
 * them. Does nothing until it is opened.
 *
 * @example
 * ```ts
 * const infra = createMCPInfra({ providers: [dockerProvider({ maxMemory: '2g' })] });
 * ```
 * @throws `INVALID_OPTIONS` for an unknown option or a value of the wrong kind
 */
export function dockerProvider(options: DockerProviderOptions = {}): Provider<ContainerSpec> {
  return new DockerRuntime(resolveOptions(options));
}
