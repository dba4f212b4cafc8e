import type { Provider } from '@mcpinfra/core/plugin';
import type { UrlSpec } from './url-spec.js';
import { resolveOptions, type UrlProviderOptions } from './url-provider-options.js';
import { UrlReach } from './url-reach.js';

/**
 * Makes the provider for `json_spec.type: 'url'`, which reaches MCP servers that run elsewhere.
 *
 * It connects to public addresses only, after the DNS, and to what the host allows besides. Does nothing until it is
 * opened; makes and ends nothing at the server.
 *
 * @example
 * ```ts
 * const infra = createMCPInfra({ providers: [urlProvider({ allow: ['localhost:3333', '10.0.0.0/8'] })] });
 * ```
 * @throws `INVALID_OPTIONS` for an unknown option or a value of the wrong kind
 */
export function urlProvider(options: UrlProviderOptions = {}): Provider<UrlSpec> {
  return new UrlReach(resolveOptions(options));
}
