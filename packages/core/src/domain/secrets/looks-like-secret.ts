import { scanReferences } from './secret-reference.js';

// KEY needs a border before it, because "monkey" and "turkey" are words.
const secretName =
  /(?:token|secret|password|credentials)$|(?:^|[^a-z])key$|(?:api|access|private|secret|auth|signing|encryption)key$/iu;
const camelCaseKey = /[a-z0-9]Key$/u;

// Bounded everywhere, so that no text makes them run long.
const secretShapes: readonly RegExp[] = [
  /\bgh[opsur]_[A-Za-z0-9]{20,}/u,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/u,
  /\bglpat-[A-Za-z0-9_-]{16,}/u,
  /\bsk[-_](?:[a-z]{2,10}[-_])?[A-Za-z0-9_-]{16,}/u,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/u,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/u,
  /\bAIza[A-Za-z0-9_-]{30,}/u,
  /\bnpm_[A-Za-z0-9]{30,}/u,
  /\beyJ[A-Za-z0-9_-]{8,300}\.[A-Za-z0-9_-]{8,3000}\./u,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY/u,
  /\b[a-z][a-z0-9+.-]{0,19}:\/\/[^\s:@/]{0,200}:[^\s@/]{1,500}@/iu,
];

/**
 * Tells whether a variable given in clear is probably a secret, by its name or by the shape of its value.
 *
 * The name ends in TOKEN, KEY, SECRET, PASSWORD or CREDENTIALS, or the value looks like a token of a known issuer, a
 * private key or a URL with a password. An empty value, `true`, `false` and a reference are none.
 */
export function looksLikeSecret(name: string, value: string): boolean {
  if (value === '' || value === 'true' || value === 'false') return false;
  if (scanReferences(value).references.length > 0) return false;
  return secretName.test(name) || camelCaseKey.test(name) || secretShapes.some((shape) => shape.test(value));
}
