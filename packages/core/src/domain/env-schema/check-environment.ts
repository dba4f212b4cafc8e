import { Type, type TSchema } from '@sinclair/typebox';
import { pointer, type Issue, type IssueCode } from '../errors/issue.js';
import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import { scanReferences } from '../secrets/secret-reference.js';
import { compileTypes } from './compile-types.js';
import { allInputs, renderTemplate, templateInputs, templateOf } from './env-template.js';
import type { EnvVariable } from './env-variable.js';
import { fixedVariable, missingVariable, unknownVariable } from './environment-faults.js';
import { isDemanded, type EnvironmentSchemaOptions } from './environment-json-schema.js';
import { expectedValue, hasFormat, typedValue, type TypedValue } from './variable-value.js';

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

/** The text of a template, and the given inputs it is made of. */
interface MadeText {
  readonly text: string;
  readonly from: readonly string[];
}

// Looking for what was meant takes time for each of the names; who mistypes more needs to see the schema.
const hintedNames = 20;

/** Makes the check of the variables of a server, at the price of compiling a schema. */
export function makeEnvironmentCheck(
  variables: readonly EnvVariable[],
  options: EnvironmentSchemaOptions,
): EnvironmentCheck {
  const inputs = allInputs(variables);
  const declared = new Map([...inputs, ...variables.map((variable) => [variable.name, variable] as const)]);
  const known = [...declared.keys()];
  const misfits = compileTypes(
    Type.Object(
      Object.fromEntries(
        [...declared].map(([name, variable]) => [name, Type.Optional(checkedType(variable))]),
      ),
    ),
  );

  return {
    check(environment, { plain }) {
      const issues = new Map<string, Issue>();
      const report = (name: string, code: IssueCode, message: string) => {
        const path = pointer('environment', name);
        if (!issues.has(path)) issues.set(path, { path, code, message });
      };
      const given = new Map(
        Object.entries(environment).filter(([name, text]) => isGiven(declared.get(name), text)),
      );
      let unknown = 0;
      for (const name of given.keys()) {
        if (declared.has(name) || options.allowUnknown) continue;
        unknown += 1;
        report(name, 'unknown_variable', unknownVariable(name, unknown > hintedNames ? [] : known));
      }

      const made = new Map<string, MadeText>();
      for (const variable of variables) {
        if (templateOf(variable) === undefined) continue;
        if (variable.value === undefined && given.has(variable.name)) continue;
        const own = templateInputs(variable);
        for (const input of own) {
          if (isDemanded(input) && !given.has(input.name))
            report(input.name, 'required', missingVariable(input));
        }
        const from = own.map(({ name }) => name).filter((name) => given.has(name));
        const rendered = renderTemplate(variable, (name) => given.get(name));
        if (rendered === 'too_large')
          report(
            from[0] ?? variable.name,
            'too_large',
            `${variable.name} is made of it and becomes too long.`,
          );
        else if (rendered) made.set(variable.name, { text: rendered.text, from });
      }

      // Without a prototype: a variable can have the name of one of its members.
      const typed = Object.create(null) as Record<string, TypedValue>;
      for (const [name, variable] of declared) {
        const whole = made.get(name);
        const text = whole?.text ?? given.get(name);
        if (variable.value !== undefined && templateOf(variable) !== undefined && given.has(name)) {
          report(name, 'conflict', fixedVariable(variable));
        } else if (text === undefined) {
          if (!inputs.has(name) && isDemanded(variable)) report(name, 'required', missingVariable(variable));
        } else if (!isReference(text)) {
          const value = typedValue(variable, text);
          // A text that cannot be read stays one, and is refused by its type.
          typed[name] = value ?? text;
          if (value !== undefined && !hasFormat(variable, text))
            report(whole?.from[0] ?? name, 'wrong_format', misfit(variable));
        } else if (variable.value !== undefined && !whole) {
          report(name, 'conflict', fixedVariable(variable));
        }
      }
      for (const path of misfits(typed)) {
        const name = unescaped(path);
        const variable = declared.get(name);
        if (!variable) continue;
        const place = made.get(name)?.from[0] ?? name;
        if (variable.value !== undefined && !made.has(name))
          report(place, 'conflict', fixedVariable(variable));
        else report(place, variable.choices ? 'not_a_choice' : 'wrong_type', misfit(variable));
      }

      return {
        environment: completed(given, { variables, inputs, made }),
        issues: [...issues.values()],
        secretsInClear: secretsInClear(given, made, { declared, plain }),
      };
    },
  };
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

/** The names of what was given in clear and is a secret, by itself or in what is made of it. */
function secretsInClear(
  given: ReadonlyMap<string, string>,
  made: ReadonlyMap<string, MadeText>,
  {
    declared,
    plain,
  }: { readonly declared: ReadonlyMap<string, EnvVariable>; readonly plain: readonly string[] },
): readonly string[] {
  const secrets = new Set(
    [...given].filter(([name, text]) => isSecret(declared.get(name), name, text)).map(([name]) => name),
  );
  // What is a secret only once it is put together: then it is told by nothing which of the parts is.
  for (const [name, { text, from }] of made) {
    const parts = from.filter((part) => declared.get(part)?.secret !== false && given.get(part) !== '');
    const open = !plain.includes(name) && !parts.some((part) => secrets.has(part) || plain.includes(part));
    if (open && !isReference(text) && (declared.get(name)?.secret ?? looksLikeSecret(name, text)))
      for (const part of parts) secrets.add(part);
  }
  return [...secrets].filter((name) => !plain.includes(name));
}

function completed(
  given: ReadonlyMap<string, string>,
  from: {
    readonly variables: readonly EnvVariable[];
    readonly inputs: ReadonlyMap<string, EnvVariable>;
    readonly made: ReadonlyMap<string, MadeText>;
  },
): Record<string, string> {
  // An input is not handed over by itself.
  const environment = new Map([...given].filter(([name]) => !from.inputs.has(name)));
  for (const variable of from.variables) {
    const { name, value, default: fallback } = variable;
    const plain = value ?? (environment.has(name) ? undefined : fallback);
    const filled = templateOf(variable) === undefined ? plain : from.made.get(name)?.text;
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

function misfit(variable: EnvVariable): string {
  const inputs = Object.keys(variable.variables ?? {});
  const made = inputs.length === 0 ? '' : `, made of ${inputs.join(', ')},`;
  return `${variable.name}${made} takes ${expectedValue(variable)}.`;
}

function unescaped(path: string): string {
  return path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
}
