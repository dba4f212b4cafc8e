import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import type { SecretPlace } from '../secrets/secret-keys.js';
import { scanReferences } from '../secrets/secret-reference.js';

/** Takes a credential out of a document: gets its place and its text, gives the reference to put there. */
export type MoveCredential = (place: SecretPlace, text: string) => string;

// The members whose texts are secrets whatever they look like.
const credentials: Readonly<Record<string, readonly string[]>> = {
  authentication: ['token', 'password', 'value', 'client_secret'],
  registry: ['password'],
};
const secretHeaders = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * Gives a document whose credentials in clear, outside its environment, are replaced by references.
 *
 * Credentials are the secret fields of `authentication` and `registry`, and the `headers` that are secrets by their name
 * or value. Texts that are or contain a reference are left alone. The document may be one that is not valid.
 */
export function moveCredentials<T extends object>(document: T, move: MoveCredential): T {
  const moved = Object.entries(document).map(([part, members]: [string, unknown]) => [
    part,
    inPart(part, members, move),
  ]);
  return Object.fromEntries(moved) as T;
}

function inPart(part: string, members: unknown, move: MoveCredential): unknown {
  if (part !== 'headers' && !Object.hasOwn(credentials, part)) return members;
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return members;
  const moved = Object.entries(members).map(([name, text]: [string, unknown]) => {
    if (typeof text !== 'string' || !isCredential(part, name, text)) return [name, text];
    return [name, move({ part, name }, text)];
  });
  return Object.fromEntries(moved) as unknown;
}

function isCredential(part: string, name: string, text: string): boolean {
  if (text === '' || text.startsWith('secret_ref:') || scanReferences(text).references.length > 0)
    return false;
  if (part !== 'headers') return credentials[part]?.includes(name) ?? false;
  return secretHeaders.has(name.toLowerCase()) || looksLikeSecret(name, text);
}
