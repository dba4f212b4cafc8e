import { looksLikeSecret } from '../secrets/looks-like-secret.js';

// Arguments and addresses carry credentials more often than their names say.
const unquoted = new Set([
  'environment',
  'headers',
  'authentication',
  'registry',
  'command',
  'cmd',
  'entrypoint',
  'endpoint',
]);
const longest = 60;

/** Says what came at a place of a document, for an error message: shortened, and never what may be a secret. */
export function quoteValue(value: unknown, path: readonly PropertyKey[]): string {
  const first = path[0];
  if (first === undefined || unquoted.has(String(first))) return kindOf(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || looksLikeSecret(String(path.at(-1)), value)) return kindOf(value);
  return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value);
}

/** Names the kind of a JSON value in the words of people who write documents. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === '') return 'an empty text';
  if (Array.isArray(value)) return 'a list';
  const kinds: Partial<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    boolean: 'a boolean',
    object: 'an object',
    undefined: 'nothing',
  };
  return kinds[typeof value] ?? `a ${typeof value}`;
}
