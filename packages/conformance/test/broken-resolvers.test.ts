import { secretResolverSuite } from '@mcpinfra/conformance/secret-resolver';
import { memorySecrets } from '@mcpinfra/core';
import { mcpError, Secret, secretId, type SecretStore } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { collectFailures } from './support/collect-failures.js';
import { brokenStore, mapSecrets, type SecretBackend } from './support/map-secrets.js';

/** The cases that fail when one thing is wrong with a store that is right otherwise. */
async function failuresOf(fault: (store: SecretStore, backend: SecretBackend) => Partial<SecretStore>) {
  const make = (backend: SecretBackend) => {
    const store = mapSecrets(backend);
    return brokenStore(store, fault(store, backend));
  };
  const { failed } = await collectFailures((register) =>
    secretResolverSuite({
      it: register,
      patienceMs: 250,
      create: () => {
        const backend = { values: new Map<string, string>() };
        return {
          resolver: make(backend),
          another: () => make(backend),
          unreachable: () => make({ values: new Map(), isAway: true }),
        };
      },
    }),
  );
  return [...failed.keys()].map((id) => id.replace('secret-resolver/', ''));
}

describe('the suite of secret resolvers catches one that', () => {
  it('is right but for its wrapping: nothing', async () => {
    expect(await failuresOf(() => ({}))).toEqual([]);
  });

  it('says "absent" when it cannot tell', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      resolve: async (references, context, options) =>
        store.resolve(references, context, options).catch((error: unknown) => {
          if (options?.signal?.aborted === true) throw error;
          return new Map();
        }),
    });
    expect(await failuresOf(fault)).toEqual(['discretion/cannot-tell']);
  });

  it('rejects for what it does not have', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      resolve: async (references, context, options) => {
        const found = await store.resolve(references, context, options);
        const missing = references.map(secretId).find((id) => !found.has(id));
        if (missing !== undefined) throw mcpError('SECRET_NOT_FOUND', `There is no ${missing}.`);
        return found;
      },
    });
    const cases = await failuresOf(fault);
    expect(cases).toEqual(expect.arrayContaining(['resolve/what-it-has-not', 'resolve/unknown-scope']));
    expect(cases).not.toContain('resolve/what-it-has');
  });

  it('deletes the scopes that begin alike', async () => {
    const fault = (_store: SecretStore, { values }: SecretBackend): Partial<SecretStore> => ({
      deleteScope: async (scope) => {
        for (const id of values.keys()) if (id.startsWith(scope)) values.delete(id);
      },
    });
    expect(await failuresOf(fault)).toEqual(['store/delete-scope', 'store/delete-scope-literally']);
  });

  it('takes the scope for a pattern, as LIKE does', async () => {
    const fault = (_store: SecretStore, { values }: SecretBackend): Partial<SecretStore> => ({
      deleteScope: async (scope) => {
        const pattern = new RegExp(`^${scope.replaceAll('.', '\\.').replaceAll('_', '.')}:`, 'u');
        for (const id of values.keys()) if (pattern.test(id)) values.delete(id);
      },
    });
    expect(await failuresOf(fault)).toEqual(['store/delete-scope-literally']);
  });

  it('lists the scopes that begin alike', async () => {
    const fault = (_store: SecretStore, { values }: SecretBackend): Partial<SecretStore> => ({
      list: async (scope) =>
        [...values.keys()]
          .filter((id) => id.startsWith(scope))
          .map((id) => ({ scope, key: id.slice(id.indexOf(':') + 1) })),
    });
    expect(await failuresOf(fault)).toEqual(['store/list']);
  });

  it('takes what is written for a tenant for somebody else', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      put: async (reference, secret, options) => {
        if (options?.context?.tenant === undefined) await store.put(reference, secret, options);
      },
    });
    expect(await failuresOf(fault)).toEqual(['store/for-whom']);
  });

  it('takes an empty value for none', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      put: async (reference, secret, options) =>
        secret.reveal() === '' ? store.delete(reference, options) : store.put(reference, secret, options),
    });
    expect(await failuresOf(fault)).toEqual(['store/empty-value']);
  });

  it('trims values', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      put: async (reference, secret, options) =>
        store.put(reference, new Secret(secret.reveal().trim()), options),
    });
    expect(await failuresOf(fault)).toEqual(['resolve/exact-values']);
  });

  it('takes upper and lower case for the same', async () => {
    const lower = ({ scope, key }: { scope: string; key: string }) => ({ scope, key: key.toLowerCase() });
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      put: async (reference, secret, options) => store.put(lower(reference), secret, options),
      delete: async (reference, options) => store.delete(lower(reference), options),
      resolve: async (references, context, options) => {
        const found = await store.resolve(references.map(lower), context, options);
        const under = references.map((one) => [secretId(one), found.get(secretId(lower(one)))] as const);
        return new Map(under.flatMap(([id, secret]) => (secret ? [[id, secret]] : [])));
      },
    });
    expect(await failuresOf(fault)).toEqual(['resolve/every-character', 'store/list']);
  });

  it('names the value in an error', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      put: async (reference, secret, options) => {
        if (options?.signal?.aborted === true)
          throw mcpError('ABORTED', `Writing ${secret.reveal()} was aborted.`);
        return store.put(reference, secret, options);
      },
    });
    expect(await failuresOf(fault)).toEqual(['discretion/errors']);
  });

  it('prints its values with itself', async () => {
    const fault = (_store: SecretStore, { values }: SecretBackend) => ({ values }) as Partial<SecretStore>;
    expect(await failuresOf(fault)).toEqual(['discretion/plugin-printed']);
  });

  it('says that it is durable and forgets', async () => {
    const { failed } = await collectFailures((register) =>
      secretResolverSuite({
        it: register,
        create: () => {
          const make = () => brokenStore(memorySecrets(), { durable: true });
          return { resolver: make(), another: make };
        },
      }),
    );
    expect([...failed.keys()]).toEqual([
      'secret-resolver/store/durable',
      'secret-resolver/lifecycle/another',
    ]);
  });

  it('gives plain objects for values', async () => {
    const fault = (store: SecretStore): Partial<SecretStore> => ({
      resolve: async (references, context, options) => {
        const found = await store.resolve(references, context, options);
        const plain = [...found].map(([id, secret]) => [id, { reveal: () => secret.reveal() }] as const);
        return new Map(plain) as unknown as ReadonlyMap<string, Secret>;
      },
    });
    expect(await failuresOf(fault)).toEqual(['discretion/nothing-printed']);
  });
});
