import { OptionChecks } from '../domain/options/option-checks.js';

/** Checks the options of `createMCPInfra`. */
export const check: OptionChecks = new OptionChecks('createMCPInfra');

const shortestKey = 32;

/** Takes a key that the processes of a fleet share. @throws `INVALID_OPTIONS`, without the key in it */
export function checkedKey(name: string, key: unknown): string {
  const bytes = typeof key === 'string' ? Buffer.byteLength(key) : 0;
  if (typeof key === 'string' && bytes >= shortestKey) return key;
  const came = typeof key === 'string' ? `one of ${bytes}` : typeof key;
  throw check.wrong(
    `expected ${name} to be a text of at least ${shortestKey} bytes, such as randomBytes(32).toString('base64'), got ${came}`,
  );
}
