import { randomBytes } from 'node:crypto';
import { parseSecretReference, Secret, type SecretReference, type SecretStore } from '@mcpinfra/core/plugin';

/** A key of a host. */
export function newKey(): Uint8Array {
  return randomBytes(32);
}

/** The reference of `<scope>:<KEY>`. */
export function reference(id: string): SecretReference {
  const parsed = parseSecretReference(`secret_ref:${id}`);
  if (parsed === undefined) throw new Error(`"${id}" is no <scope>:<KEY>`);
  return parsed;
}

/** Writes values, by `<scope>:<KEY>`. */
export async function put(store: SecretStore, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [id, value] of Object.entries(values)) await store.put(reference(id), new Secret(value));
}

/** Reads values, by `<scope>:<KEY>`. */
export async function reveal(
  store: SecretStore,
  ids: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const context = { instanceId: '', tenant: '', principal: null };
  const found = await store.resolve(ids.map(reference), context);
  return Object.fromEntries([...found].map(([id, secret]) => [id, secret.reveal()]));
}
