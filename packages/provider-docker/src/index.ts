/**
 * Runs MCP servers as hardened containers for `@mcpinfra/core`.
 *
 * @packageDocumentation
 */
export { dockerProvider } from './docker-provider.js';
export type { DockerClient, DockerProviderOptions, DockerTLS } from './docker-provider-options.js';
