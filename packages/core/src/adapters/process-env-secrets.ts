import { mcpError, Secret, secretId, throwIfAborted } from '../plugin-essentials.js';
import type { SecretReference, SecretResolver } from '../plugin.js';

/** Options of {@link processEnvSecrets}: which variable of the environment holds which secret. */
export type ProcessEnvSecretsOptions =
  | {
      /** Names of variables by `<scope>:<KEY>`. */
      readonly variables: Readonly<Record<string, string>>;
    }
  | {
      /** Gives the name of the variable, or `undefined` for a reference that is none of its business. */
      readonly name: (reference: SecretReference) => string | undefined;
    };

/**
 * Makes a resolver that reads the environment of this process.
 *
 * Only variables that the options name are ever read, each when it is asked for. An empty variable counts as missing.
 *
 * @throws `INVALID_OPTIONS` unless exactly one of the two ways is given
 */
export function processEnvSecrets(options: ProcessEnvSecretsOptions): SecretResolver {
  const variableOf = variableNames(options);
  return {
    specificationVersion: 'v1',
    name: 'process-env',
    resolve: async (references, _context, options) => {
      throwIfAborted(options?.signal);
      const found = new Map<string, Secret>();
      for (const reference of references) {
        const variable = variableOf(reference);
        // eslint-disable-next-line n/no-process-env -- reading it is what the host asks for by calling this function
        const value = variable === undefined ? undefined : process.env[variable];
        if (value !== undefined && value !== '') found.set(secretId(reference), new Secret(value));
      }
      return found;
    },
  };
}

function variableNames(
  options: ProcessEnvSecretsOptions,
): (reference: SecretReference) => string | undefined {
  const given = Object.keys(options).join(', ');
  if (given === 'name' && 'name' in options && typeof options.name === 'function') return options.name;
  if (given === 'variables' && 'variables' in options) {
    const names = new Map(Object.entries(options.variables));
    return (reference) => names.get(secretId(reference));
  }
  throw mcpError(
    'INVALID_OPTIONS',
    `processEnvSecrets() takes either { variables } or { name }, but was given { ${given} }.`,
  );
}
