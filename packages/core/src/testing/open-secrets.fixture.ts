import { Secret } from '../index.js';
import { secretId, throwIfAborted, type SecretStore } from '../plugin.js';

/** A secret store whose contents a test can look at. */
export function openSecrets(): {
  readonly store: SecretStore;
  readonly values: Map<string, string>;
  readonly ofInstances: () => string[];
} {
  const values = new Map<string, string>();
  const store: SecretStore = {
    specificationVersion: 'v1',
    name: 'open',
    durable: true,
    resolve: async (references, _context, options) => {
      throwIfAborted(options?.signal);
      const found = references.map(secretId).filter((id) => values.has(id));
      return new Map(found.map((id) => [id, new Secret(values.get(id) ?? '')]));
    },
    put: async (reference, value, options) => {
      throwIfAborted(options?.signal);
      values.set(secretId(reference), value.reveal());
    },
    delete: async (reference) => void values.delete(secretId(reference)),
    deleteScope: async (scope) => {
      for (const id of values.keys()) if (id.startsWith(`${scope}:`)) values.delete(id);
    },
    list: async (scope) =>
      [...values.keys()]
        .filter((id) => id.startsWith(`${scope}:`))
        .map((id) => ({ scope, key: id.slice(scope.length + 1) })),
  };
  /** The values that instances have there. */
  const ofInstances = (): string[] =>
    [...values].flatMap(([id, value]) => (id.startsWith('instance_') ? [value] : [])).sort();
  return { store, values, ofInstances };
}
