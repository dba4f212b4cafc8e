import { isSecretParameter, isSecretSegment } from './looks-like-secret.js';

/** A secret in a url. */
export interface UrlSecret {
  /** `?<name>` for a parameter, `/<n>` for the nth part of the path; `#<n>` is added to what comes again. */
  readonly name: string;
  /** As the server reads it, percent-encoding undone. */
  readonly value: string;
}

/** A part of a url that may be a secret. */
interface UrlPiece extends UrlSecret {
  readonly text: string;
  readonly start: number;
  readonly isSecret: boolean;
}

const authority = /^[a-z][a-z0-9+.-]{0,19}:\/\/[^/?#]*/iu;
// A reference may hold a slash.
const segment = /\/((?:\$\{[^}]{0,600}\}|[^/?#])*)/gu;
const parameter = /[?&#](?:([^=&#]{0,500})=)?((?:\$\{[^}]{0,600}\}|[^&#])*)/gu;

/** Replaces the secrets that stand in the path or parameters of a url. What is or has a reference is none. */
export function replaceUrlSecrets(url: string, replace: (secret: UrlSecret) => string): string {
  const secrets = piecesOf(url).filter(({ isSecret }) => isSecret);
  let rest = url;
  // From the end, so that what is before stays where it is.
  for (const { text, start, ...secret } of secrets.reverse())
    rest = rest.slice(0, start) + replace(secret) + rest.slice(start + text.length);
  return rest;
}

/** The text of a url at a place where a secret was. */
export function urlTextAt(url: string, name: string): string | undefined {
  return piecesOf(url).find((one) => one.name === name)?.text;
}

/** Whether the authority of a url holds a user name or password. */
export function hasUserInfo(url: string): boolean {
  return authority.exec(url)?.[0].includes('@') === true;
}

/** Where the path of a url begins. */
export function pathStart(url: string): number {
  return authority.exec(url)?.[0].length ?? 0;
}

function piecesOf(url: string): UrlPiece[] {
  const begin = pathStart(url);
  const length = url.slice(begin).search(/[?#]|$/u);
  const path = [...url.slice(begin, begin + length).matchAll(segment)].map((match, index) => {
    const [whole, text = ''] = match;
    const end = begin + match.index + whole.length;
    return { base: `/${String(index)}`, text, end, isSecret: isSecretSegment(decoded(text)) };
  });
  const parameters = [...url.slice(begin + length).matchAll(parameter)].map((match) => {
    const [whole, name = '', text = ''] = match;
    const isSecret = isSecretParameter({ name: decoded(name), value: decoded(text) });
    return { base: `?${name}`, text, end: begin + length + match.index + whole.length, isSecret };
  });
  const seen = new Map<string, number>();
  return [...path, ...parameters].map(({ base, text, end, isSecret }): UrlPiece => {
    const times = seen.get(base) ?? 0;
    seen.set(base, times + 1);
    const name = times === 0 ? base : `${base}#${String(times)}`;
    return { name, value: decoded(text), text, start: end - text.length, isSecret };
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
