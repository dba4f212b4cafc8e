import { Type, type TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { didYouMean } from '../did-you-mean.js';
import { pointer, type Issue, type IssueCode } from '../errors/issue.js';
import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import { scanReferences } from '../secrets/secret-reference.js';
import type { EnvVariable } from './env-variable.js';
import { isDemanded, type EnvironmentSchemaOptions } from './environment-json-schema.js';
import { expectedValue, hasFormat, typedValue, type TypedValue } from './variable-value.js';

/** What came of checking an environment. */
interface CheckedVariables {
  /** What was given, with defaults and fixed values filled in, as texts. */
  readonly environment: Readonly<Record<string, string>>;
  readonly issues: readonly Issue[];
  /** The names of variables that are secrets and were given in clear. */
  readonly secretsInClear: readonly string[];
}

/** The compiled variables of a server. */
export interface EnvironmentCheck {
  /**
   * Checks an environment and completes it.
   *
   * A value that is or contains a reference fits every type. An empty text is a value only for plain text that is not
   * demanded; elsewhere the variable counts as not given.
   */
  check(
    environment: Readonly<Record<string, string>>,
    options: { readonly plain: readonly string[] },
  ): CheckedVariables;
}

/** Compiles the variables of a server into a check; compile once, check often. */
export function compileEnvironment(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): EnvironmentCheck {
  const declared = new Map(variables.map((variable) => [variable.name, variable]));
  const types = TypeCompiler.Compile(
    Type.Object(
      Object.fromEntries(variables.map((variable) => [variable.name, Type.Optional(checkedType(variable))])),
    ),
  );

  return {
    check(environment, { plain }) {
      const issues: Issue[] = [];
      const report = (name: string, code: IssueCode, message: string) =>
        issues.push({ path: pointer('environment', name), code, message });
      const given = new Map(
        Object.entries(environment).filter(([name, text]) => isGiven(declared.get(name), text)),
      );

      for (const name of given.keys()) {
        if (declared.has(name) || options.allowUnknown) continue;
        report(name, 'unknown_variable', unknownVariable(name, [...declared.keys()]));
      }
      const typed = new Map<string, TypedValue>();
      for (const variable of variables) {
        const text = given.get(variable.name);
        if (text === undefined) {
          if (isDemanded(variable)) report(variable.name, 'required', missingVariable(variable));
        } else if (!isReference(text)) {
          const value = typedValue(variable, text);
          // A text that cannot be read stays one, and is refused by its type.
          typed.set(variable.name, value ?? text);
          if (value !== undefined && !hasFormat(variable, text)) {
            report(variable.name, 'wrong_format', `${variable.name} takes ${expectedValue(variable)}.`);
          }
        } else if (variable.value !== undefined) {
          report(variable.name, 'conflict', fixedVariable(variable.name));
        }
      }
      for (const { path } of types.Errors(Object.fromEntries(typed))) {
        const variable = declared.get(unescaped(path));
        if (!variable || issues.some((issue) => issue.path === `/environment${path}`)) continue;
        if (variable.value !== undefined) report(variable.name, 'conflict', fixedVariable(variable.name));
        else {
          const code = variable.choices ? 'not_a_choice' : 'wrong_type';
          report(variable.name, code, `${variable.name} takes ${expectedValue(variable)}.`);
        }
      }
      const secretsInClear = [...given]
        .filter(([name, text]) => isSecret(declared.get(name), name, text) && !plain.includes(name))
        .map(([name]) => name);
      return { environment: completed(given, variables), issues, secretsInClear };
    },
  };
}

/** The type of a variable as the compiler takes it; formats are checked apart, since TypeBox keeps its own in a global. */
function checkedType(variable: EnvVariable): TSchema {
  const literal = (value: TypedValue) => Type.Literal(typedValue(variable, String(value)) ?? value);
  if (variable.value !== undefined) return literal(variable.value);
  if (variable.choices) return Type.Union(variable.choices.map(literal));
  switch (variable.type ?? 'string') {
    case 'string':
      return Type.String();
    case 'integer':
      return Type.Integer();
    case 'number':
      return Type.Number();
    case 'boolean':
      return Type.Boolean();
  }
}

function completed(
  given: ReadonlyMap<string, string>,
  variables: readonly EnvVariable[],
): Record<string, string> {
  const environment = new Map(given);
  for (const { name, value, default: fallback } of variables) {
    const filled = value ?? (environment.has(name) ? undefined : fallback);
    if (filled !== undefined) environment.set(name, String(filled));
  }
  return Object.fromEntries(environment);
}

function isGiven(variable: EnvVariable | undefined, text: string): boolean {
  if (text !== '' || !variable) return true;
  const takesAnyText =
    (variable.type ?? 'string') === 'string' && !variable.choices && variable.format === undefined;
  return takesAnyText && variable.required !== true && variable.value === undefined;
}

function isReference(text: string): boolean {
  return text.startsWith('secret_ref:') || scanReferences(text).references.length > 0;
}

function isSecret(variable: EnvVariable | undefined, name: string, text: string): boolean {
  if (text === '' || isReference(text) || variable?.value !== undefined) return false;
  return variable?.secret ?? looksLikeSecret(name, text);
}

function missingVariable(variable: EnvVariable): string {
  const meaning = variable.description === undefined ? '' : ` (${variable.description})`;
  const how =
    variable.secret === true ? 'a reference such as secret_ref:<scope>:<KEY>' : expectedValue(variable);
  return `${variable.name}${meaning} is required and has no default. Give ${how}.`;
}

function unknownVariable(name: string, known: readonly string[]): string {
  const candidate = didYouMean(name, known);
  const hint =
    candidate === undefined ? `Known are ${known.join(', ') || 'none'}.` : `Did you mean "${candidate}"?`;
  return `The server declares no variable ${name}. ${hint}`;
}

function fixedVariable(name: string): string {
  return `${name} is fixed by the server. Remove it from environment.`;
}

function unescaped(path: string): string {
  return path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
