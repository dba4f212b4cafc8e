import { looksLikeSecret } from '../secrets/looks-like-secret.js';
import { scanReferences } from '../secrets/secret-reference.js';
import type { EnvVariable } from './env-variable.js';
import type { KnownTexts } from './made-texts.js';

/** The names of what was given in clear and is a secret, by itself or in what is made of it. */
export function secretsInClear(
  { given, made }: KnownTexts,
  {
    declared,
    plain,
  }: { readonly declared: ReadonlyMap<string, EnvVariable>; readonly plain: readonly string[] },
): readonly string[] {
  const secrets = new Set(
    [...given].filter(([name, text]) => isSecret(declared.get(name), name, text)).map(([name]) => name),
  );
  // What is a secret only once it is put together: then it is told by nothing which of the parts is.
  for (const [name, { text, from }] of made) {
    const parts = from.filter((part) => declared.get(part)?.secret !== false && given.get(part) !== '');
    const open = !plain.includes(name) && !parts.some((part) => secrets.has(part) || plain.includes(part));
    if (open && !isReference(text) && (declared.get(name)?.secret ?? looksLikeSecret(name, text)))
      for (const part of parts) secrets.add(part);
  }
  return [...secrets].filter((name) => !plain.includes(name));
}

/** Whether a text is, or contains, a reference to a secret. */
export function isReference(text: string): boolean {
  return text.startsWith('secret_ref:') || scanReferences(text).references.length > 0;
}

function isSecret(variable: EnvVariable | undefined, name: string, text: string): boolean {
  if (text === '' || isReference(text) || variable?.value !== undefined) return false;
  return variable?.secret ?? looksLikeSecret(name, text);
}
