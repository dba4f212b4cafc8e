import type { ZodType } from 'zod';
import { meantOr } from '../did-you-mean.js';
import type { Issue } from '../errors/issue.js';
import { environmentIssues } from './environment-issues.js';
import type { JsonSpec } from './json-spec.js';
import { plainDocument } from './plain-document.js';
import { kindOf, quoteValue } from './quote-value.js';
import { referenceIssues } from './reference-places.js';
import { expectationOf, translateZodIssues } from './translate-zod-issues.js';

/** A parsed document, or everything that is wrong with it. */
export type JsonSpecResult =
  { readonly ok: true; readonly spec: JsonSpec } | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Parses a document by the schema of its `type`.
 *
 * Every fault is reported at once, each with its place; any value whatever gives a result and never an exception. The
 * result shares nothing with the argument.
 *
 * @param schemas - the schema of each type that can run here
 */
export function parseJsonSpec(
  document: unknown,
  schemas: ReadonlyMap<string, ZodType<JsonSpec>>,
): JsonSpecResult {
  const plain = plainDocument(document);
  const { value } = plain;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, issues: plain.issues.length > 0 ? plain.issues : [notAnObject(value)] };
  }
  const coreIssues = [...environmentIssues(Reflect.get(value, 'environment')), ...referenceIssues(value)];
  const parsed = bySchema(value, schemas);
  const issues = withoutEchoes([plain.issues, coreIssues, parsed.ok ? [] : parsed.issues]);
  if (parsed.ok && issues.length === 0) return parsed;
  return { ok: false, issues };
}

function bySchema(document: object, schemas: ReadonlyMap<string, ZodType<JsonSpec>>): JsonSpecResult {
  const type: unknown = Reflect.get(document, 'type');
  const schema = typeof type === 'string' ? schemas.get(type) : undefined;
  if (!schema) return { ok: false, issues: [typeIssue(type, [...schemas.keys()])] };
  try {
    const result = schema.safeParse(document, { error: expectationOf });
    if (result.success) return { ok: true, spec: result.data };
    return { ok: false, issues: translateZodIssues(result.error.issues, document) };
  } catch {
    // A provider's schema is not ours: it may throw, or be asynchronous where it must not.
    const message = `The schema of type "${String(type)}" failed to check the document. Report it to the provider's authors.`;
    return { ok: false, issues: [{ path: '', code: 'unsupported', message }] };
  }
}

function typeIssue(type: unknown, known: readonly string[]): Issue {
  const choices = known.map((name) => `"${name}"`).join(', ') || 'none: no provider is configured';
  if (type === undefined) {
    return { path: '/type', code: 'required', message: `type is missing. Known types are ${choices}.` };
  }
  if (typeof type !== 'string') {
    const message = `Expected text, but got ${kindOf(type)}. Known types are ${choices}.`;
    return { path: '/type', code: 'wrong_type', message };
  }
  const hint = meantOr(type, known, '');
  const message =
    `No provider runs the type ${quoteValue(type, ['type'])}. Known types are ${choices}. ${hint}`.trimEnd();
  return { path: '/type', code: 'unknown_type', message };
}

function notAnObject(value: unknown): Issue {
  const message = `Expected an object such as { "type": "docker", "image": "…" }, but got ${kindOf(value)}.`;
  return { path: '', code: 'wrong_type', message };
}

/** Leaves out what a stage says of a place, or of a part of it, that an earlier stage has already found at fault. */
function withoutEchoes(stages: readonly (readonly Issue[])[]): Issue[] {
  const kept: Issue[] = [];
  for (const stage of stages) {
    const faulty = new Set(kept.map((issue) => issue.path));
    kept.push(...stage.filter((issue) => !prefixesOf(issue.path).some((path) => faulty.has(path))));
  }
  return kept;
}

function prefixesOf(path: string): string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}
