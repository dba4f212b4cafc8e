import type { Provider } from '../ports/provider.js';
import { MCPInfra } from './mcp-infra.js';
import { resolveOptions, type MCPInfraOptions, type SpecOf } from './options.js';

/**
 * Wires a fleet. Does no I/O: `start()` connects.
 *
 * The documents that `instances.create` takes are those of the given providers.
 *
 * @throws `INVALID_OPTIONS` for a wrong or unknown option, `SPECIFICATION_VERSION_UNSUPPORTED` for a plugin of another version
 */
export function createMCPInfra<const TProviders extends readonly Provider[]>(
  options: MCPInfraOptions<TProviders>,
): MCPInfra<SpecOf<TProviders>> {
  return MCPInfra.of<SpecOf<TProviders>>(resolveOptions(options));
}
