import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import type { SecretPlace } from '../secrets/secret-keys.js';
import { scanReferences } from '../secrets/secret-reference.js';
import { replaceUrlSecrets, urlTextAt } from '../secrets/url-secrets.js';

/** Takes a credential out of a document: gets its place and its text, gives the reference to put there. */
export type MoveCredential = (place: SecretPlace, text: string) => string;

// The members whose texts are secrets whatever they look like.
const credentials: Readonly<Record<string, readonly string[]>> = {
  authentication: ['token', 'password', 'value', 'client_secret'],
  registry: ['password'],
};

/**
 * Gives a document whose credentials in clear, outside its environment, are replaced by references.
 *
 * Credentials are the secret fields of `authentication` and `registry`, the `headers` that are secrets by their name or
 * value, and such parameters and parts of the path of `endpoint`. Texts that are or contain a reference are left alone. The
 * document may be one that is not valid.
 */
export function moveCredentials<T extends object>(document: T, move: MoveCredential): T {
  const moved = Object.entries(document).map(([part, members]: [string, unknown]) => [
    part,
    inPart(part, members, move),
  ]);
  return Object.fromEntries(moved) as T;
}

/** The text at a place, as far as it can be a reference to what was moved from there. */
export function referenceTextAt(document: object, { part, name }: SecretPlace): string | undefined {
  const members: unknown = Object.hasOwn(document, part) ? Reflect.get(document, part) : undefined;
  if (typeof members === 'string') {
    const text = part === 'endpoint' ? urlTextAt(members, name) : undefined;
    return /^\$\{(.*)\}$/su.exec(text ?? '')?.[1];
  }
  if (typeof members !== 'object' || members === null || !Object.hasOwn(members, name)) return undefined;
  const text: unknown = Reflect.get(members, name);
  return typeof text === 'string' ? text : undefined;
}

function inPart(part: string, members: unknown, move: MoveCredential): unknown {
  if (part === 'endpoint' && typeof members === 'string')
    return replaceUrlSecrets(members, ({ name, value }) => `\${${move({ part, name }, value)}}`);
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
  return looksLikeSecret(name, text);
}
