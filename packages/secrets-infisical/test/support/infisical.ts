import { parseSecretReference, type Secret, type SecretStore } from '@mcpinfra/core/plugin';
import { infisicalSecrets, type InfisicalSecretsSettings } from '@mcpinfra/secrets-infisical';
import { type InfisicalServer, type InfisicalServerOptions, startInfisicalServer } from '@mcpinfra/tools';
import { expect, onTestFinished } from 'vitest';

export const generations = ['2024-09', 'newer'] as const;

const context = { instanceId: 'i', tenant: '', principal: null };

/** A server until the test is over. */
export async function startServer(options?: InfisicalServerOptions): Promise<InfisicalServer> {
  const server = await startInfisicalServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A store as the machine identity of a server, closed when the test is over. */
export function storeOn(
  server: InfisicalServer,
  options: Partial<InfisicalSecretsSettings> & { readonly clientSecret?: string } = {},
): SecretStore {
  const { url: siteUrl, clientId, clientSecret, projectId, environment } = server;
  const store = infisicalSecrets({ siteUrl, clientId, clientSecret, projectId, environment, ...options });
  onTestFinished(() => store.close?.());
  return store;
}

/** Puts a secret into a server as somebody else would. */
export function seed(server: InfisicalServer, path: string, secrets: Readonly<Record<string, string>>): void {
  server.folders().create(path);
  for (const [name, value] of Object.entries(secrets)) server.folders().set(path, name, value);
}

export function reference(id: string): { readonly scope: string; readonly key: string } {
  return parseSecretReference(`secret_ref:${id}`) ?? expect.fail(`${id} is no reference`);
}

/** The values of ids, revealed. */
export async function reveal(
  store: SecretStore,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const found: ReadonlyMap<string, Secret> = await store.resolve(ids.map(reference), context, { signal });
  return Object.fromEntries([...found].map(([id, secret]) => [id, secret.reveal()]));
}
