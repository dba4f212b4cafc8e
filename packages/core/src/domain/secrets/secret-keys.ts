import { createHash } from 'node:crypto';

/** Where in a document a value stands: in a member, under a name. */
export interface SecretPlace {
  readonly part: string;
  readonly name: string;
}

/** How much of a name a key shows; the rest is told by a digest. */
const shownName = 80;

/** A version tells the value, by a keyed digest, and the write. */
const versionShape = '[A-Za-z0-9_-]{28}';
const shape = new RegExp(String.raw`^([a-z_]+)\.(.+)\.(${versionShape})$`, 'u');

/**
 * The key, in the scope of an instance, of one version of the value at a place: `<part>.<name>.<version>`.
 *
 * No two places and versions have the same one. Parts and versions have no dot, so the first and the last one divide.
 */
export function secretKeyOf(place: SecretPlace, version: string): string {
  return `${place.part}.${keyName(place.name)}.${version}`;
}

/** The version that a key tells, where it is one of the value at a place. */
export function versionAt(place: SecretPlace, key: string): string | undefined {
  const [, part, name, version] = shape.exec(key) ?? [];
  return part === place.part && name === keyName(place.name) ? version : undefined;
}

/** Whether a key is one of a version, of whatever place; others in the scope of an instance are the host's. */
export function isVersionKey(key: string): boolean {
  return shape.test(key);
}

/** Writes what a key may not hold as `@` and its code, so that two names never become one. */
function keyName(name: string): string {
  const escaped = name.replaceAll(/[^A-Za-z0-9_.-]/gu, (sign) =>
    [...Buffer.from(sign)].map((byte) => `@${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  if (escaped.length <= shownName) return escaped;
  // No code begins with an h, so nothing short is taken for it.
  return `${escaped.slice(0, shownName)}@h${createHash('sha256').update(name).digest('hex')}`;
}
