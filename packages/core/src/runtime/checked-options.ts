import { didYouMean } from '../domain/did-you-mean.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';

/** Rejects keys an options object does not have. @throws `INVALID_OPTIONS` */
export function refuseUnknown(what: string, options: object, keys: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (keys.includes(key)) continue;
    const hint = didYouMean(key, keys);
    throw invalid(
      `${what} has no option ${JSON.stringify(key)}; ${hint === undefined ? `it takes ${keys.join(', ')}` : `did you mean "${hint}"?`}`,
    );
  }
}

/** Takes a whole number. @throws `INVALID_OPTIONS` */
export function whole(name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(`${name} must be a whole number of at least ${String(least)}, not ${JSON.stringify(value)}`);
}

const shortestKey = 32;

/** Takes a key that the processes of a fleet share. @throws `INVALID_OPTIONS`, without the key in it */
export function checkedKey(name: string, key: unknown): string {
  const bytes = typeof key === 'string' ? Buffer.byteLength(key) : 0;
  if (typeof key === 'string' && bytes >= shortestKey) return key;
  throw invalid(
    `${name} must be a text of at least ${shortestKey} bytes, such as randomBytes(32).toString('base64'), not ${typeof key === 'string' ? `one of ${bytes}` : typeof key}`,
  );
}

/** The error of an option a host has to change. */
export function invalid(sentence: string): Error {
  return mcpError('INVALID_OPTIONS', `${sentence}.`);
}
