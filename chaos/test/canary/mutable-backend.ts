import { Secret } from '@mcpinfra/core';
import type { SecretResolver } from '@mcpinfra/core/plugin';

/** A backend that is read only to core, and whose values a test changes. */
export function mutableBackend(): SecretResolver & { hold(key: string, value: string): string } {
  const values = new Map<string, string>();
  return {
    specificationVersion: 'v1',
    name: 'vault',
    resolve: async (references) => {
      const found = new Map<string, Secret>();
      for (const { scope, key } of references) {
        const value = values.get(`${scope}:${key}`);
        if (value !== undefined) found.set(`${scope}:${key}`, new Secret(value));
      }
      return found;
    },
    /** Gives the reference. */
    hold: (key, value) => {
      values.set(`vault:${key}`, value);
      return `secret_ref:vault:${key}`;
    },
  };
}
