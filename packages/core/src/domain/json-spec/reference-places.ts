import { pointer, type Issue } from '../errors/issue.js';
import { parseSecretReference } from '../secrets/secret-reference.js';
import { pathStart } from '../secrets/url-secrets.js';

const places = ['environment', 'headers', 'authentication', 'registry', 'endpoint'];
const embedded = /\$\{(secret_ref:[^}]{0,600})\}/gu;

/** Tells whether the values of a member of a document may be references. */
export function isReferencePlace(member: string): boolean {
  return places.includes(member);
}

/** Finds the references of a plain document that are malformed or stand where none is resolved. */
export function referenceIssues(document: object): Issue[] {
  return Object.entries(document).flatMap(([member, value]) =>
    issuesIn(value, [member], isReferencePlace(member)),
  );
}

function issuesIn(value: unknown, path: readonly (string | number)[], allowed: boolean): Issue[] {
  if (typeof value === 'string') return issueOf(value, path, allowed && isPlace(value, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key.includes('secret_ref:') ? [misplaced([...path, key])] : []),
    ...issuesIn(inner, [...path, key], allowed),
  ]);
}

/** Texts of members; and of the url of a server the path and the query, since its authority says who is told. */
function isPlace(text: string, path: readonly (string | number)[]): boolean {
  if (path[0] !== 'endpoint') return path.length > 1;
  return path.length === 1 && pathStart(text) > 0 && !text.slice(0, pathStart(text)).includes('secret_ref:');
}

function issueOf(text: string, path: readonly (string | number)[], allowed: boolean): Issue[] {
  if (!text.includes('secret_ref:')) return [];
  if (!allowed) return [misplaced(path)];
  if (isWellFormed(text)) return [];
  const message =
    'Expected a reference written secret_ref:<scope>:<KEY>, for example secret_ref:instance_123:API_KEY; ' +
    'inside a longer text write it as ${secret_ref:<scope>:<KEY>}.';
  return [{ path: pointer(...path), code: 'malformed_reference', message }];
}

/** A text is one reference, or every reference in it is in braces. */
function isWellFormed(text: string): boolean {
  if (text.startsWith('secret_ref:')) return parseSecretReference(text) !== undefined;
  const rest = text.replaceAll(embedded, (piece, reference: string) =>
    parseSecretReference(reference) ? ' ' : piece,
  );
  return !rest.includes('secret_ref:');
}

function misplaced(path: readonly (string | number)[]): Issue {
  const message =
    'A secret reference is resolved only in the values of environment, headers, authentication and registry, and in the ' +
    'path and query of an endpoint. Move it to one of those places, for example into a variable of environment.';
  return { path: pointer(...path), code: 'misplaced_reference', message };
}
