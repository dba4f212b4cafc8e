import { scanReferences, secretId, type SecretReference } from '../secrets/secret-reference.js';
import type { JsonSpec } from './json-spec.js';
import { isReferencePlace } from './reference-places.js';

/** Which part of a document is asked: the variables of the process, or what is used to reach and fetch it. */
type ReferencePart = 'environment' | 'elsewhere' | 'all';

/** Gives every reference of a document once, in the order of the document. */
export function collectReferences(spec: JsonSpec, part: ReferencePart = 'all'): readonly SecretReference[] {
  const references = new Map<string, SecretReference>();
  for (const text of textsIn(spec, part)) {
    for (const reference of scanReferences(text).references) references.set(secretId(reference), reference);
  }
  return [...references.values()];
}

function textsIn(spec: JsonSpec, part: ReferencePart): readonly string[] {
  const places = Object.entries(spec).filter(
    ([member]) =>
      isReferencePlace(member) && (part === 'all' || (member === 'environment') === (part === 'environment')),
  );
  return places.flatMap(([, value]) => textsOf(value));
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
