import { allInputs } from './env-template.js';
import type { EnvVariable } from './env-variable.js';

/** The variables of a server, and what they are made of. */
export interface DeclaredVariables {
  readonly variables: readonly EnvVariable[];
  /** What is given to make variables of, by name; it is not handed over by itself. */
  readonly inputs: ReadonlyMap<string, EnvVariable>;
  /** Both, by name. */
  readonly all: ReadonlyMap<string, EnvVariable>;
}

/** Puts the variables of a server together with what they are made of. */
export function declaredVariables(variables: readonly EnvVariable[]): DeclaredVariables {
  const inputs = allInputs(variables);
  const all = new Map([...inputs, ...variables.map((variable) => [variable.name, variable] as const)]);
  return { variables, inputs, all };
}
