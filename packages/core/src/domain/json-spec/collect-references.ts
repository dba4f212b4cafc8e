import { scanReferences, secretId, type SecretReference } from '../secrets/secret-reference.js';
import type { JsonSpec } from './json-spec.js';
import { isReferencePlace } from './reference-places.js';

/** Which part of a document is asked: the variables of the process, or what is used to reach and fetch it. */
type ReferencePart = 'environment' | 'elsewhere' | 'all';

/** A reference and where in the document it stands. */
export interface PlacedReference {
  readonly path: readonly string[];
  readonly reference: SecretReference;
}

/** Gives every reference of a document once, in the order of the document. */
export function collectReferences(spec: JsonSpec, part: ReferencePart = 'all'): readonly SecretReference[] {
  const placed = placedReferences(spec, part).map(
    ({ reference }) => [secretId(reference), reference] as const,
  );
  return [...new Map(placed).values()];
}

/** Gives every reference of a document at each of its places, in the order of the document. */
export function placedReferences(spec: JsonSpec, part: ReferencePart = 'all'): readonly PlacedReference[] {
  const places = Object.entries(spec).filter(
    ([member]) =>
      isReferencePlace(member) && (part === 'all' || (member === 'environment') === (part === 'environment')),
  );
  return places.flatMap(([member, value]) => referencesIn(value, [member]));
}

function referencesIn(value: unknown, path: readonly string[]): PlacedReference[] {
  if (typeof value === 'string')
    return scanReferences(value).references.map((reference) => ({ path, reference }));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => referencesIn(inner, [...path, name]));
}
