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

/** The error of an option a host has to change. */
export function invalid(sentence: string): Error {
  return mcpError('INVALID_OPTIONS', `${sentence}.`);
}
