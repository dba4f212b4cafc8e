import { isObject } from '../is-object.js';
type Member = readonly [key: string, value: unknown];

// Deeper than any document may be, so that a cyclic value ends here and is refused by the parser.
const deepest = 64;

/**
 * Merges a document over defaults: objects member by member, arrays and scalars replaced.
 *
 * A `null` replaces too, so it takes a default away. Nested objects whose `type` differs are alternatives and replaced
 * as a whole. `cmd` and `command` are one field.
 */
export function mergeSpec(base: object, over: object): Record<string, unknown> {
  const own = canonicalNames(over);
  const replacesCommand = Object.hasOwn(own, 'command');
  const under = replacesCommand ? omit(base, ['cmd', 'command']) : canonicalNames(base);
  return mergeObjects(under, own, 0);
}

/** Applies a JSON merge patch (RFC 7396) to a document, where `cmd` and `command` are one field. */
export function patchSpec(spec: object, patch: unknown): unknown {
  return applyMergePatch(canonicalNames(spec), isObject(patch) ? canonicalNames(patch) : patch);
}

/** Applies a JSON merge patch (RFC 7396) and gives the result; neither argument is changed. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  return patched(target, patch, 0);
}

function patched(target: unknown, patch: unknown, depth: number): unknown {
  if (!isObject(patch) || depth > deepest) return patch;
  const members = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch) as Member[]) {
    if (value === undefined) continue;
    if (value === null) members.delete(key);
    else members.set(key, patched(members.get(key), value, depth + 1));
  }
  // Defines own members also for a key such as __proto__, which an assignment would take for the prototype.
  return Object.fromEntries(members);
}

function mergeObjects(base: object, over: object, depth: number): Record<string, unknown> {
  const members = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(over) as Member[]) {
    if (value === undefined) continue;
    const under = members.get(key);
    const merges = isObject(under) && isObject(value) && depth < deepest && !areAlternatives(under, value);
    members.set(key, merges ? mergeObjects(under, value, depth + 1) : value);
  }
  return Object.fromEntries(members);
}

function areAlternatives(base: object, over: object): boolean {
  const [before, after] = [ownValue(base, 'type'), ownValue(over, 'type')];
  return before !== undefined && after !== undefined && before !== after;
}

/** Writes the alias `cmd` as `command`; a document that has both is left for the parser to refuse. */
function canonicalNames(document: object): object {
  if (!Object.hasOwn(document, 'cmd') || Object.hasOwn(document, 'command')) return document;
  return Object.fromEntries(
    (Object.entries(document) as Member[]).map(([key, value]) => [key === 'cmd' ? 'command' : key, value]),
  );
}

function omit(document: object, keys: readonly string[]): object {
  return Object.fromEntries((Object.entries(document) as Member[]).filter(([key]) => !keys.includes(key)));
}

function ownValue(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
