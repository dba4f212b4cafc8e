import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folderName, keyOfName, secretNameOf } from './escaped-part.js';

const sign = fc.constantFrom('a', 'Z', '0', '_', '.', '@', '/', '-', ':', '2', 'e', 'd');
const text = fc.string({ unit: sign, minLength: 1, maxLength: 8 });

describe('the name of a folder', () => {
  it('is the scope itself where that can be', () => {
    expect(folderName('instance_123')).toBe('instance_123');
    expect(folderName('0b0e6a52-6f0c-4f0e-9a51-3f0c6b8f2d11')).toBe('0b0e6a52-6f0c-4f0e-9a51-3f0c6b8f2d11');
    expect(folderName('team/fs.1')).toBe('team--2ffs--2e1');
  });

  it('has only what Infisical takes, and is of one scope only', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const scopes = [one, other].map((scope) => scope.replaceAll(':', ''));
        for (const scope of scopes) expect(folderName(`x${scope}`)).toMatch(/^[\w-]+$/u);
        expect(folderName(`x${scopes[0] ?? ''}`) === folderName(`x${scopes[1] ?? ''}`)).toBe(
          scopes[0] === scopes[1],
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('is short also for the longest scopes, and still of one only', () => {
    const [one, other] = [folderName('.'.repeat(200)), folderName(`${'.'.repeat(199)}@`)];
    expect(one.length).toBeLessThanOrEqual(200);
    expect(one).not.toBe(other);
  });
});

describe('the name of a secret', () => {
  it('is the key itself where that can be', () => {
    for (const key of ['API_KEY', 'db.password', 'me@example', 'a-b']) expect(secretNameOf(key)).toBe(key);
  });

  it('tells its key, but for those that were cut', () => {
    fc.assert(
      fc.property(text, (key) => {
        expect(keyOfName(secretNameOf(key))).toBe(key);
      }),
      { numRuns: 2_000 },
    );
    expect(keyOfName(secretNameOf('/'.repeat(200)))).toBeUndefined();
  });

  it('holds no slash and no colon, is no step in a path, and is of one key only', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        for (const key of [one, other]) expect(secretNameOf(key)).not.toMatch(/[/:]|^\.+$/u);
        expect(secretNameOf(one) === secretNameOf(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });
});
