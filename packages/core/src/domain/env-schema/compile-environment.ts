import type { EnvironmentSchemaOptions } from './environment-json-schema.js';
import type { EnvVariable } from './env-variable.js';
import { makeEnvironmentCheck, type EnvironmentCheck } from './check-environment.js';

// By content: every read of a store gives another copy of the same variables.
const checks = new Map<string, EnvironmentCheck>();
const most = 200;
const longest = 64 * 1024;

/** Compiles the variables of a server into a check, or gives the one made before of the same variables. */
export function compileEnvironment(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): EnvironmentCheck {
  const key = JSON.stringify([options.allowUnknown, variables]);
  const known = checks.get(key);
  const check = known ?? makeEnvironmentCheck(variables, options);
  if (key.length > longest) return check;
  // The longest unused leaves first.
  checks.delete(key);
  checks.set(key, check);
  const [oldest] = checks.keys();
  if (checks.size > most && oldest !== undefined) checks.delete(oldest);
  return check;
}
