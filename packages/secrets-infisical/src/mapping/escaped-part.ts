import { createHash } from 'node:crypto';

/** What the server's columns hold with room to spare. */
const longest = 200;

/** The name of the folder of a scope: Infisical takes letters, digits, `_` and `-`. */
export function folderName(scope: string): string {
  return escapedPart(scope, '[./@]');
}

/** The name of a secret for a key: Infisical takes no `/` and no `:`, and in a URL dots alone lead elsewhere. */
export function secretNameOf(key: string): string {
  return escapedPart(key, /^\.+$/u.test(key) ? String.raw`\.` : '[/:]');
}

/** The key of which a secret has its name, or `undefined` where that tells only a part of it. */
export function keyOfName(name: string): string | undefined {
  if (/--h[0-9a-f]{64}$/u.test(name)) return undefined;
  return name.replaceAll(/--([0-9a-f]{2})/gu, (_code, sign: string) =>
    String.fromCharCode(Number.parseInt(sign, 16)),
  );
}

/**
 * Writes characters that may not be as `--` and their code, so that two texts never become one.
 *
 * A dash is written so too before what begins with a dash: every `--` of the result begins a code.
 */
function escapedPart(text: string, forbidden: string): string {
  const escaped = text.replaceAll(
    new RegExp(`${forbidden}|-(?=-|${forbidden})`, 'gu'),
    (sign) => `--${sign.charCodeAt(0).toString(16)}`,
  );
  if (escaped.length <= longest) return escaped;
  // No code begins with an h, so nothing short is taken for it.
  return `${escaped.slice(0, 100)}--h${createHash('sha256').update(text).digest('hex')}`;
}
