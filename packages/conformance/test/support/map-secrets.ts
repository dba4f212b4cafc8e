import {
  mcpError,
  Secret,
  secretId,
  type SecretReference,
  type SecretStore,
  throwIfAborted,
} from '@mcpinfra/core/plugin';

/** A backend that outlives the stores on it. */
export interface SecretBackend {
  readonly values: Map<string, string>;
  isAway?: boolean;
}

/** Makes a durable store on a backend. */
export function mapSecrets(backend: SecretBackend): SecretStore {
  return new MapSecrets(backend);
}

class MapSecrets implements SecretStore {
  readonly specificationVersion = 'v1';
  readonly name = 'map';
  readonly durable = true;
  readonly #backend: SecretBackend;

  constructor(backend: SecretBackend) {
    this.#backend = backend;
  }

  async resolve(...[references, , options]: Parameters<SecretStore['resolve']>) {
    const values = await this.#values(options?.signal);
    const found = new Map<string, Secret>();
    for (const id of references.map(secretId)) {
      const value = values.get(id);
      if (value !== undefined) found.set(id, new Secret(value));
    }
    return found;
  }

  async put(...[reference, secret, options]: Parameters<SecretStore['put']>) {
    const values = await this.#values(options?.signal);
    values.set(secretId(reference), secret.reveal());
  }

  async delete(...[reference, options]: Parameters<SecretStore['delete']>) {
    const values = await this.#values(options?.signal);
    values.delete(secretId(reference));
  }

  async deleteScope(...[scope, options]: Parameters<SecretStore['deleteScope']>) {
    const values = await this.#values(options?.signal);
    for (const id of values.keys()) if (id.startsWith(`${scope}:`)) values.delete(id);
  }

  async list(...[scope, options]: Parameters<NonNullable<SecretStore['list']>>) {
    const values = await this.#values(options?.signal);
    const ids = [...values.keys()].filter((id) => id.startsWith(`${scope}:`));
    return ids.map((id) => ({ scope, key: id.slice(scope.length + 1) }));
  }

  async close() {}

  async #values(signal: AbortSignal | undefined): Promise<Map<string, string>> {
    throwIfAborted(signal);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#backend.isAway === true) throw mcpError('SECRET_BACKEND_FAILED', 'The backend is away.');
    return this.#backend.values;
  }
}

/** The methods of a store, of which some are replaced by broken ones. */
export function brokenStore(store: SecretStore, fault: Partial<SecretStore>): SecretStore {
  return {
    specificationVersion: 'v1',
    name: 'broken',
    durable: store.durable,
    resolve: (references, context, options) => store.resolve(references, context, options),
    put: (reference: SecretReference, secret, options) => store.put(reference, secret, options),
    delete: (reference, options) => store.delete(reference, options),
    deleteScope: (scope, options) => store.deleteScope(scope, options),
    list: async (scope, options) => (await store.list?.(scope, options)) ?? [],
    ...fault,
  };
}
