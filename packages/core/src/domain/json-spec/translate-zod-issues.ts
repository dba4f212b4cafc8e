import type { core } from 'zod';
import { meantOr } from '../did-you-mean.js';
import { pointer, type Issue, type IssueCode } from '../errors/issue.js';
import { quoteValue } from './quote-value.js';

type ZodIssue = core.$ZodIssue;
type Path = readonly PropertyKey[];

// What is said of a union that says nothing of itself.
const unsaid = 'Expected a value of another form';

/**
 * What schemas say that have no sentence of their own; given to zod as the error map of a parse.
 *
 * For unknown keys it gives the known ones, which zod hands out nowhere else.
 */
export function expectationOf(issue: core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `Expected ${nouns[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `Expected ${listed(issue.values)}`
        : `Expected one of ${listed(issue.values)}`;
    case 'too_small':
      return `Expected ${counted(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')}`;
    case 'too_big':
      return `Expected ${counted(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')}`;
    case 'unrecognized_keys':
      return knownKeys(issue.inst).join(' ');
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
      return undefined;
    case 'invalid_union':
      return unsaid;
  }
}

/**
 * Translates what zod found in a plain document: every fault once, with its place and a sentence.
 *
 * A schema's message without a full stop says what was expected, and what came is added to it.
 */
export function translateZodIssues(issues: readonly ZodIssue[], document: unknown): Issue[] {
  const translated = issues.flatMap((issue) => translate(issue, issue.path, document));
  return [...new Map(translated.map((issue) => [`${issue.path} ${issue.message}`, issue])).values()];
}

function translate(issue: ZodIssue, path: Path, document: unknown): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField([...path, key], issue.message.split(' ')));
  }
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => describe(inner, path, document));
  const branch =
    issue.code === 'invalid_union' ? branchMeant(issue.errors, lookUp(document, path).value) : undefined;
  if (!branch) return describe(issue, path, document);
  return branch.flatMap((inner) => inUnion(inner, issue.message, { path, document }));
}

/** A fault in one alternative of a union; where it is about the value as a whole, the union says what was expected. */
function inUnion(
  inner: ZodIssue,
  message: string,
  at: { readonly path: Path; readonly document: unknown },
): Issue[] {
  const asWhole = inner.path.length === 0 && inner.code !== 'unrecognized_keys' && message !== unsaid;
  return translate(asWhole ? { ...inner, message } : inner, [...at.path, ...inner.path], at.document);
}

function describe(issue: ZodIssue, path: Path, document: unknown): Issue[] {
  const { found, value } = lookUp(document, path);
  if (!found) {
    const message = `${String(path.at(-1) ?? 'The document')} is missing. ${sentence(issue.message)}`;
    return [{ path: pointerTo(path), code: 'required', message }];
  }
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const hint = typeof value === 'string' ? meantOr(value, choices, '') : '';
  const got = isSentence(issue.message) ? '' : `, but got ${quoteValue(value, path)}`;
  return [
    {
      path: pointerTo(path),
      code: codeOf(issue),
      message: `${sentence(issue.message + got)} ${hint}`.trimEnd(),
    },
  ];
}

function unknownField(path: Path, known: readonly string[]): Issue {
  const name = String(path.at(-1));
  const hint = meantOr(name, known, `Known here are ${known.join(', ')}.`);
  return {
    path: pointerTo(path),
    code: 'unknown_field',
    message: `There is no field ${JSON.stringify(name)} here. ${hint}`,
  };
}

/** Of the alternatives of a union, the only one that takes values of this type. */
function branchMeant(
  branches: readonly (readonly ZodIssue[])[],
  value: unknown,
): readonly ZodIssue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some((issue) => isOfAnotherType(issue, value)));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isOfAnotherType(issue: ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_value') return !issue.values.some((known) => typeof known === typeof value);
  return issue.code === 'invalid_type' && !(issue.expected === 'int' && typeof value === 'number');
}

function codeOf(issue: ZodIssue): IssueCode {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'never' ? 'unsupported' : 'wrong_type';
    case 'too_big':
    case 'too_small':
    case 'not_multiple_of':
      return 'out_of_range';
    case 'invalid_value':
      return 'not_a_choice';
    case 'invalid_union':
      return issue.discriminator === undefined ? 'wrong_type' : 'not_a_choice';
    case 'custom':
      return isIssueCode(issue.params?.['code']) ? issue.params['code'] : 'wrong_format';
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'unrecognized_keys':
      return 'wrong_format';
  }
}

const issueCodes: Readonly<Record<IssueCode, true>> = {
  required: true,
  wrong_type: true,
  out_of_range: true,
  unknown_field: true,
  unknown_type: true,
  unknown_variable: true,
  not_a_choice: true,
  wrong_format: true,
  conflict: true,
  misplaced_reference: true,
  malformed_reference: true,
  forbidden_reference: true,
  reserved: true,
  over_limit: true,
  unsupported: true,
  secret_in_clear: true,
  too_large: true,
};

function isIssueCode(code: unknown): code is IssueCode {
  return typeof code === 'string' && Object.hasOwn(issueCodes, code);
}

const nouns: Partial<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false, without quotes',
  array: 'a list',
  object: 'an object',
  record: 'an object of names and texts',
};

function counted(origin: string, limit: number | bigint, relation: string): string {
  if (origin === 'string') return `text of ${relation} ${limit} characters`;
  return origin === 'array' ? `a list of ${relation} ${limit}` : `${relation} ${limit}`;
}

function listed(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

function knownKeys(schema: unknown): string[] {
  const shape = (schema as Partial<core.$ZodObject> | undefined)?._zod?.def.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function lookUp(document: unknown, path: Path): { readonly found: boolean; readonly value: unknown } {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
      return { found: false, value: undefined };
    value = Reflect.get(value, key);
  }
  return { found: true, value };
}

function pointerTo(path: Path): string {
  return pointer(...path.map(String));
}

function sentence(text: string): string {
  return isSentence(text) ? text : `${text}.`;
}

function isSentence(text: string): boolean {
  return /[.?!]$/u.test(text);
}
