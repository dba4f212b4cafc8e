import { isObject } from '../domain/is-object.js';
import type { SecretResolver, SecretStore, SecretWriteOptions } from '../ports/secret-resolver.js';
import { Guard, type GuardOptions } from './guard.js';

/** Puts a guard before a secret resolver. */
export function guardSecretResolver(resolver: SecretResolver, options: GuardOptions): SecretResolver {
  return guarded(resolver, guardOf(resolver, options));
}

/** Puts a guard before a secret store. */
export function guardSecretStore(store: SecretStore, options: GuardOptions): SecretStore {
  const guard = guardOf(store, options);
  const call = <T>(
    method: string,
    o: SecretWriteOptions | undefined,
    work: (bounds: SecretWriteOptions) => Promise<T>,
  ): Promise<T> =>
    guard.call(method, { timeoutMs: guard.deadlines.secretsMs, signal: o?.signal }, (bounds) =>
      work({ ...bounds, context: o?.context }),
    );
  const list = store.list?.bind(store);

  return {
    ...guarded(store, guard),
    durable: store.durable,
    put: (reference, value, o) => call('put', o, (bounds) => store.put(reference, value, bounds)),
    delete: (reference, o) => call('delete', o, (bounds) => store.delete(reference, bounds)),
    deleteScope: (scope, o) => call('deleteScope', o, (bounds) => store.deleteScope(scope, bounds)),
    ...(list && { list: (scope, o) => call('list', o, (bounds) => list(scope, bounds)) }),
  };
}

function guardOf(resolver: SecretResolver, options: GuardOptions): Guard {
  const { name, specificationVersion } = resolver;
  const opens = resolver.open !== undefined;
  return new Guard(
    { port: 'secrets', name, specificationVersion, code: 'SECRET_BACKEND_FAILED', opens },
    options,
  );
}

/** @throws `PLUGIN_CONTRACT` that quotes nothing of the answer, which may be a value in clear */
function foundValues(guard: Guard, answer: unknown): void {
  const isSecret = (value: unknown): boolean => isObject(value) && typeof value['reveal'] === 'function';
  if (answer instanceof Map && [...answer.values()].every(isSecret)) return;
  const got = answer === null ? null : answer instanceof Map ? 'a Map of other values' : typeof answer;
  throw guard.breach('resolve', 'a Map of the values it has, each a Secret', got);
}

function guarded(resolver: SecretResolver, guard: Guard): SecretResolver {
  const { name, specificationVersion } = resolver;
  const open = resolver.open?.bind(resolver);
  return {
    specificationVersion,
    name,
    resolve: (references, context, { signal } = {}) =>
      guard.call('resolve', { timeoutMs: guard.deadlines.secretsMs, signal }, async (bounds) => {
        const found = await resolver.resolve(references, context, bounds);
        foundValues(guard, found);
        return found;
      }),
    ...(open && { open: (o) => guard.open(o, open) }),
    // Also where there is nothing to close: it ends the calls under way.
    close: (o) => guard.close(o, async (bounds) => resolver.close?.(bounds)),
  };
}
