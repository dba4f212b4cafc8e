import { meantOr } from '../did-you-mean.js';
import type { EnvVariable } from './env-variable.js';
import { expectedValue } from './variable-value.js';

/** Says what to give for a variable that is missing. */
export function missingVariable(variable: EnvVariable): string {
  const meaning = variable.description === undefined ? '' : ` (${variable.description})`;
  const how =
    variable.secret === true ? 'a reference such as secret_ref:<scope>:<KEY>' : expectedValue(variable);
  return `${variable.name}${meaning} is required and has no default. Give ${how}.`;
}

/** Says which variable may have been meant, or which there are. */
export function unknownVariable(name: string, known: readonly string[]): string {
  // The first few: a fault of each of thousands of names would else repeat thousands of names.
  const listed = known.length > 20 ? `${known.slice(0, 20).join(', ')}, …` : known.join(', ');
  const hint = meantOr(name, known, `Known are ${listed || 'none'}.`);
  return `The server declares no variable ${name}. ${hint}`;
}

/** Says that a variable is not the instance's to give. */
export function fixedVariable(variable: EnvVariable): string {
  const inputs = Object.keys(variable.variables ?? {}).join(', ');
  const instead = inputs === '' ? '' : `, and give what it is made of: ${inputs}`;
  return `${variable.name} is fixed by the server. Remove it from environment${instead}.`;
}

/** Says what a variable takes whose value is something else. */
export function misfittingVariable(variable: EnvVariable): string {
  const inputs = Object.keys(variable.variables ?? {});
  const made = inputs.length === 0 ? '' : `, made of ${inputs.join(', ')},`;
  return `${variable.name}${made} takes ${expectedValue(variable)}.`;
}
