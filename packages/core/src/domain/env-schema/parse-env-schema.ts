import * as z from 'zod';
import { pointer, type Issue } from '../errors/issue.js';
import { isEnvironmentName, isReservedEnvironmentName } from '../json-spec/environment-issues.js';
import { specObject, type Report } from '../json-spec/fields/spec-object.js';
import { plainDocument } from '../json-spec/plain-document.js';
import { expectationOf, translateZodIssues } from '../json-spec/translate-zod-issues.js';
import { parseSecretReference } from '../secrets/secret-reference.js';
import { placesOf, templateOf } from './env-template.js';
import type { EnvVariable } from './env-variable.js';
import { templateConflicts } from './template-conflicts.js';
import { expectedValue, hasFormat, typedValue, type TypedValue } from './variable-value.js';

/** Parsed variables, or everything that is wrong with them. */
export type EnvSchemaResult =
  | { readonly ok: true; readonly variables: readonly EnvVariable[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

// Keys of these names are refused in every document.
const unusable = new Set(['__proto__', 'constructor', 'prototype']);

const text = z.string().max(4_096);
const scalar = z.union([text, z.number(), z.boolean()], { error: 'Expected text, a number or a boolean' });

const name = z
  .string({
    error: 'Expected a variable name of letters, digits, "_", "." and "-" that does not begin with a digit',
  })
  .refine(isEnvironmentName)
  .refine((given) => !isReservedEnvironmentName(given), {
    error: 'This variable is set by the library. Remove it, or choose another name.',
    params: { code: 'reserved' },
  })
  .refine((given) => !unusable.has(given), {
    error: 'This name is reserved by JavaScript, so no document can give the variable. Choose another.',
    params: { code: 'reserved' },
  });

const inputFields = {
  type: z.enum(['string', 'integer', 'number', 'boolean']).optional(),
  description: text.optional(),
  required: z.boolean().optional(),
  secret: z.boolean().optional(),
  default: scalar.optional(),
  choices: z.array(scalar).min(1).max(1_000).optional(),
  placeholder: text.optional(),
  format: z.enum(['uri', 'email', 'hostname', 'filepath', 'date-time', 'uuid']).optional(),
};

const templateVariable = specObject(inputFields, (members, report) => {
  const parsed = partial.safeParse(members);
  if (parsed.success) reportContradictions(parsed.data, report);
});

const variable = specObject(
  {
    name,
    ...inputFields,
    value: scalar.optional(),
    variables: z.record(name, templateVariable).optional(),
  },
  (members, report) => {
    const parsed = partial.safeParse(members);
    if (!parsed.success) return;
    reportContradictions(parsed.data, report);
    reportTemplateFaults(parsed.data, report);
  },
);

// The fields that have to fit one another, read alone so that a fault elsewhere does not hide theirs.
const partial = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean']).optional(),
  secret: z.boolean().optional(),
  default: scalar.optional(),
  choices: z.array(scalar).optional(),
  format: z.enum(['uri', 'email', 'hostname', 'filepath', 'date-time', 'uuid']).optional(),
  value: scalar.optional(),
  variables: z.record(z.string(), z.object({ default: scalar.optional() })).optional(),
});

const variables: z.ZodType<EnvVariable[]> = z
  .array(variable, { error: 'Expected a list of variables, such as [{ "name": "API_KEY", "secret": true }]' })
  .max(1_000);

/** Parses the variables that a server declares; every fault at once, any value whatever, no exception. */
export function parseEnvSchema(input: unknown): EnvSchemaResult {
  const plain = plainDocument(input);
  if (plain.value === undefined || plain.issues.length > 0) return { ok: false, issues: plain.issues };
  const result = variables.safeParse(plain.value, { error: expectationOf });
  const faults = result.success ? [] : translateZodIssues(result.error.issues, plain.value);
  const conflicts = result.success ? templateConflicts(result.data) : [];
  const issues = [...faults, ...repeatedNames(plain.value), ...conflicts];
  return result.success && issues.length === 0 ? { ok: true, variables: result.data } : { ok: false, issues };
}

function reportContradictions(given: z.infer<typeof partial>, report: Report): void {
  const { type = 'string', choices, format, default: fallback, value } = given;
  const fits = (candidate: TypedValue) => typedValue(given, String(candidate)) !== undefined;
  if (format !== undefined && type !== 'string') {
    report(
      'format',
      'conflict',
      `A format is for variables of type string, and this one is ${type}. Remove format.`,
    );
  }
  if (choices && !choices.every(fits)) {
    report('choices', 'wrong_type', `Expected each choice to be ${expectedValue({ name: '', type })}.`);
  }
  if (choices && new Set(choices.map(String)).size < choices.length) {
    report('choices', 'conflict', 'A choice is listed twice. Remove one of the two.');
  }
  if (value !== undefined && fallback !== undefined) {
    report('default', 'conflict', 'A variable with a fixed value needs no default. Remove default or value.');
  }
  for (const [member, candidate] of Object.entries({ default: fallback, value })) {
    if (candidate === undefined || candidate === '') continue;
    if (typeof candidate === 'string' && parseSecretReference(candidate)) continue;
    // What a template makes is checked when it is made.
    if (given.variables && placesOf(String(candidate)).size > 0) continue;
    if (given.secret === true) {
      const message = `A secret has no ${member} in clear. Remove it, or give a reference secret_ref:<scope>:<KEY>.`;
      report(member, 'secret_in_clear', message);
    } else if (!fits(candidate)) {
      report(member, 'wrong_type', `Expected ${expectedValue({ name: '', type })}, as the type says.`);
    } else if (choices && !choices.some((choice) => String(choice) === String(candidate))) {
      report(member, 'not_a_choice', `Expected ${expectedValue({ name: '', choices })}, as choices says.`);
    } else if (!hasFormat({ format }, String(candidate))) {
      report(member, 'wrong_format', `Expected ${expectedValue({ name: '', format })}.`);
    }
  }
}

function reportTemplateFaults(given: z.infer<typeof partial>, report: Report): void {
  if (!given.variables) return;
  const names = Object.keys(given.variables);
  const places = placesOf(templateOf(given) ?? '');
  if (names.length > 50) {
    report(
      'variables',
      'out_of_range',
      `Expected at most 50 variables, but got ${names.length}. Remove some.`,
    );
  }
  const idle = names
    .filter((candidate) => !places.has(candidate))
    .map((candidate) => `{${candidate.slice(0, 60)}}`);
  if (idle.length > 0) {
    report(
      'variables',
      'conflict',
      `Expected a value or default with ${idle.slice(0, 5).join(', ')} in it, such as "Bearer {token}". Write it there, or remove it from variables.`,
    );
  }
  if (given.secret === true && Object.values(given.variables).some((input) => inClear(input.default))) {
    const message =
      'What a secret is made of has no default in clear. Remove it, or give a reference secret_ref:<scope>:<KEY>.';
    report('variables', 'secret_in_clear', message);
  }
}

function inClear(fallback: TypedValue | undefined): boolean {
  return fallback !== undefined && fallback !== '' && !parseSecretReference(String(fallback));
}

function repeatedNames(document: unknown): Issue[] {
  if (!Array.isArray(document)) return [];
  const seen = new Map<unknown, number>();
  return document.flatMap((entry: unknown, index): Issue[] => {
    const name: unknown =
      typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'name') : undefined;
    const first = seen.get(name);
    if (typeof name !== 'string' || first === undefined) {
      seen.set(name, index);
      return [];
    }
    const message = `The variable ${name.slice(0, 60)} is declared twice, first at ${pointer(first)}. Remove one of the two.`;
    return [{ path: pointer(index, 'name'), code: 'conflict', message }];
  });
}
