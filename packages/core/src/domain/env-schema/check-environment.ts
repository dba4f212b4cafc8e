import { Type, type TSchema } from '@sinclair/typebox';
import type { Issue } from '../errors/issue.js';
import { secretsInClear } from './clear-secrets.js';
import { compileTypes } from './compile-types.js';
import { declaredVariables, type DeclaredVariables } from './declared-variables.js';
import { templateOf } from './env-template.js';
import type { EnvVariable } from './env-variable.js';
import { fixedVariable, misfittingVariable, unknownVariable } from './environment-faults.js';
import type { EnvironmentSchemaOptions } from './environment-json-schema.js';
import { madeTexts, type MadeText } from './made-texts.js';
import { ReportedIssues } from './reported-issues.js';
import { typedVariables } from './typed-variables.js';
import { typedValue, type TypedValue } from './variable-value.js';

/** What came of checking an environment. */
interface CheckedVariables {
  /** What was given, with defaults, fixed values and templates filled in, as texts. */
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

// Looking for what was meant takes time for each of the names; who mistypes more needs to see the schema.
const hintedNames = 20;

/** Makes the check of the variables of a server, at the price of compiling a schema. */
export function makeEnvironmentCheck(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): EnvironmentCheck {
  const declared = declaredVariables(variables);
  const known = options.allowUnknown ? null : [...declared.all.keys()];
  const types = [...declared.all].map(([name, variable]) => [name, Type.Optional(checkedType(variable))]);
  const misfits = compileTypes(Type.Object(Object.fromEntries(types) as Record<string, TSchema>));

  return {
    check(environment, { plain }) {
      const issues = new ReportedIssues();
      const given = givenVariables(environment, declared);
      if (known) reportUnknown(given, known, issues);
      const made = madeTexts(variables, given, issues);
      const typed = typedVariables(declared, { given, made }, issues);
      reportMisfits(misfits(typed), declared, { made, issues });
      return {
        environment: completed(given, declared, made),
        issues: issues.all(),
        secretsInClear: secretsInClear({ given, made }, { declared: declared.all, plain }),
      };
    },
  };
}

function givenVariables(
  environment: Readonly<Record<string, string>>,
  { all }: DeclaredVariables,
): ReadonlyMap<string, string> {
  return new Map(Object.entries(environment).filter(([name, text]) => isGiven(all.get(name), text)));
}

function reportUnknown(
  given: ReadonlyMap<string, string>,
  known: readonly string[],
  issues: ReportedIssues,
): void {
  const names = new Set(known);
  const unknown = [...given.keys()].filter((name) => !names.has(name));
  for (const [i, name] of unknown.entries())
    issues.report(name, 'unknown_variable', unknownVariable(name, i < hintedNames ? known : []));
}

/** @param paths - where the values have another type than their variables */
function reportMisfits(
  paths: Iterable<string>,
  { all }: DeclaredVariables,
  { made, issues }: { readonly made: ReadonlyMap<string, MadeText>; readonly issues: ReportedIssues },
): void {
  for (const path of paths) {
    const name = unescaped(path);
    const variable = all.get(name);
    if (!variable) continue;
    const place = made.get(name)?.from[0] ?? name;
    if (variable.value !== undefined && !made.has(name))
      issues.report(place, 'conflict', fixedVariable(variable));
    else issues.report(place, variable.choices ? 'not_a_choice' : 'wrong_type', misfittingVariable(variable));
  }
}

/** The type of a variable as the compiler takes it; formats are checked apart, since TypeBox keeps its own in a global. */
function checkedType(variable: EnvVariable): TSchema {
  const literal = (value: TypedValue) => Type.Literal(typedValue(variable, String(value)) ?? value);
  if (variable.value !== undefined && templateOf(variable) === undefined) return literal(variable.value);
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

/** What was given, with defaults, fixed values and templates filled in. */
function completed(
  given: ReadonlyMap<string, string>,
  { variables, inputs }: DeclaredVariables,
  made: ReadonlyMap<string, MadeText>,
): Record<string, string> {
  // An input is not handed over by itself.
  const environment = new Map([...given].filter(([name]) => !inputs.has(name)));
  for (const variable of variables) {
    const { name, value, default: fallback } = variable;
    const plain = value ?? (environment.has(name) ? undefined : fallback);
    const filled = templateOf(variable) === undefined ? plain : made.get(name)?.text;
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

function unescaped(path: string): string {
  return path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
