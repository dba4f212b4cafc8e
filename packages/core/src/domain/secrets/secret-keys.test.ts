import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isVersionKey, secretKeyOf, versionAt } from './secret-keys.js';
import { formatSecretReference, parseSecretReference } from './secret-reference.js';

const part = fc.constantFrom('environment', 'headers', 'authentication', 'registry');
const name = fc.oneof(
  fc.constantFrom(
    'X-Api-Key',
    'X_Api_Key',
    'x-api-key',
    'A.B',
    'A',
    'password',
    'REGISTRY_PASSWORD',
    '@2e',
    '.',
  ),
  fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  fc.string({ minLength: 90, maxLength: 300, unit: fc.constantFrom('a', '.', '@', '%') }),
);
const place = fc.record({ part, name });
const version = fc.stringMatching(/^[A-Za-z0-9_-]{28}$/u);

it('no two places and versions have the same key', () => {
  fc.assert(
    fc.property(place, version, place, version, (a, v, b, w) => {
      const isSame = a.part === b.part && a.name === b.name && v === w;
      expect(secretKeyOf(a, v) === secretKeyOf(b, w)).toBe(isSame);
      expect(versionAt(b, secretKeyOf(a, v))).toBe(a.part === b.part && a.name === b.name ? v : undefined);
    }),
    { numRuns: 500 },
  );
});

it('every key can be named by a reference', () => {
  fc.assert(
    fc.property(place, version, (a, v) => {
      const reference = { scope: 'instance_1', key: secretKeyOf(a, v) };
      expect(parseSecretReference(formatSecretReference(reference))).toEqual(reference);
    }),
  );
});

it('what somebody else keeps in the scope of an instance is no version', () => {
  for (const key of ['API_KEY', 'environment.API_KEY', 'environment.API_KEY.v1', 'x.y'.padEnd(28, 'z')]) {
    expect(isVersionKey(key)).toBe(false);
    expect(versionAt({ part: 'environment', name: 'API_KEY' }, key)).toBeUndefined();
  }
});
