import {
  formatSecretReference,
  mcpError,
  parseSecretReference,
  Secret,
  secretId,
} from '../plugin-essentials.js';
import type { CallOptions, SecretContext, SecretReference, SecretStore } from '../plugin.js';

/**
 * Makes a secret store in this process's memory.
 *
 * @param initial - values by `<scope>:<KEY>`
 */
export function memorySecrets(initial: Readonly<Record<string, string>> = {}): SecretStore {
  const values = new Map(Object.entries(initial).map(([id, value]) => [checkedId(id), new Secret(value)]));
  return {
    specificationVersion: 'v1',
    name: 'memory',
    durable: false,
    resolve: async (
      references: readonly SecretReference[],
      _context: SecretContext,
      options?: CallOptions,
    ) => {
      refuseAborted(options);
      const found = new Map<string, Secret>();
      for (const id of references.map(secretId)) {
        const value = values.get(id);
        if (value !== undefined) found.set(id, value);
      }
      return found;
    },
    put: async (reference, value, options) => {
      refuseAborted(options);
      values.set(checkedId(secretId(reference)), value);
    },
    delete: async (reference, options) => {
      refuseAborted(options);
      values.delete(secretId(reference));
    },
    deleteScope: async (scope, options) => {
      refuseAborted(options);
      for (const id of values.keys()) {
        if (id.startsWith(`${scope}:`)) values.delete(id);
      }
    },
    list: async (scope, options) => {
      refuseAborted(options);
      const ids = [...values.keys()].filter((id) => id.startsWith(`${scope}:`));
      return ids.map((id) => ({ scope, key: id.slice(scope.length + 1) }));
    },
  };
}

/** Refuses an id that no reference could ever name. */
function checkedId(id: string): string {
  const reference = parseSecretReference(`secret_ref:${id}`);
  if (reference !== undefined && formatSecretReference(reference) === `secret_ref:${id}`) return id;
  throw mcpError(
    'INVALID_ARGUMENT',
    `A secret is kept under "<scope>:<KEY>", not under ${JSON.stringify(id)}.`,
  );
}

function refuseAborted(options: CallOptions | undefined): void {
  if (options?.signal?.aborted !== true) return;
  throw mcpError('ABORTED', 'The call of the secret store was aborted; nothing was changed.', {
    cause: options.signal.reason,
  });
}
