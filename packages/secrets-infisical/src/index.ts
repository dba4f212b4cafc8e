/**
 * Resolves and keeps secrets in Infisical, for `@mcpinfra/core`.
 *
 * @packageDocumentation
 */
export { infisicalSecrets } from './infisical-secrets.js';
export type {
  InfisicalCredentials,
  InfisicalFolder,
  InfisicalSecretsOptions,
  InfisicalSecretsSettings,
} from './infisical-secrets-options.js';
