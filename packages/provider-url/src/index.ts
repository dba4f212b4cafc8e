/**
 * Reaches MCP servers that run elsewhere by their URL, for `@mcpinfra/core`.
 *
 * @packageDocumentation
 */
export { urlProvider } from './url-provider.js';
export type { UrlProviderOptions } from './url-provider-options.js';
export {
  urlSpecSchema,
  type Authentication,
  type OAuth2ClientCredentials,
  type UrlSpec,
} from './url-spec.js';
