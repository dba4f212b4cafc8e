/**
 * Runs MCP servers as local child processes for `@mcpinfra/core`.
 *
 * @packageDocumentation
 */
export { processProvider } from './process-provider.js';
export type { ProcessProviderOptions } from './process-provider-options.js';
export { processSpecSchema, type ProcessResources, type ProcessSpec } from './process-spec.js';
