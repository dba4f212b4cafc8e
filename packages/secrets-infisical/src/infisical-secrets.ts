import type { SecretStore } from '@mcpinfra/core/plugin';
import { type InfisicalSecretsOptions, resolveOptions } from './infisical-secrets-options.js';
import { InfisicalStore } from './infisical-store.js';

/**
 * Makes a secret store that reads and writes Infisical over its REST routes.
 *
 * `secret_ref:<scope>:<KEY>` is the secret `<KEY>` in the folder `/instances/<scope>`, unless the options say otherwise.
 * Nothing is connected to before the first call, so a server that is away at the start delays nothing else.
 *
 * @throws `INVALID_OPTIONS`
 *
 * @example
 * ```ts
 * createMCPInfra({
 *   providers,
 *   secrets: [infisicalSecrets({ siteUrl, clientId, clientSecret, projectId, environment: 'prod' })],
 * });
 * ```
 */
export function infisicalSecrets(options: InfisicalSecretsOptions): SecretStore {
  return new InfisicalStore(resolveOptions(options));
}
