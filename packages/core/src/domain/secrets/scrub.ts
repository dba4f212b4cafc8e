import { createPatternReplacer, shortestPattern } from './replace-patterns.js';

const replacement = '[secret]';
// A part of a value is taken for the value only when it is too long to occur by chance.
const shortestPart = 12;

/**
 * Makes a function that replaces every known secret value of a text by `[secret]`, the longest first.
 *
 * Found too are its URL-encoded, JSON-escaped and base64 forms, the last also inside a longer encoded text such as the
 * credentials of HTTP basic authentication, and the lines of a value of several lines. Values shorter than four
 * characters are left alone: they occur everywhere. Values may be of any number and size.
 */
export function createScrubber(values: Iterable<string>): (text: string) => string {
  const forms = [...values].filter((value) => value.length >= shortestPattern).flatMap(formsOf);
  return createPatternReplacer(forms, replacement);
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const base64 = bytes.toString('base64');
  const forms = [
    value,
    encodeURIComponent(bytes.toString()),
    new URLSearchParams([['', value]]).toString().slice(1),
    JSON.stringify(value).slice(1, -1),
    base64,
    base64.replace(/=+$/u, ''),
    bytes.toString('base64url'),
  ];
  const parts = [...value.split(/\r?\n/u), ...[0, 1, 2].flatMap((offset) => base64Inside(bytes, offset))];
  return [...forms, ...parts.filter((part) => part.length >= shortestPart)];
}

/** The characters of a base64 text that do not depend on what surrounds the value `offset` bytes after a boundary. */
function base64Inside(bytes: Buffer, offset: number): string[] {
  const base64 = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/u, '');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  const inside = base64.slice(first, last);
  return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')];
}
