import { describe, expect, it } from 'vitest';
import { Secret } from '../../domain/secrets/secret.js';
import { GivenValues } from './given-values.js';

const values = (...texts: readonly string[]) =>
  new Map(texts.map((text, at) => [`vault:${at}`, new Secret(text)]));

describe('values that an instance was given', () => {
  it('are forgotten when many others have followed, so that a thousand rotations cost no more than a few', () => {
    const given = new GivenValues();
    for (let n = 0; n < 1_000; n += 1) given.add('i', n, values(`value-${n}`));
    const text = Array.from({ length: 1_000 }, (_, n) => `value-${n}.`).join(' ');
    const shown = given.scrub('i', text).match(/value-/gu) ?? [];
    expect(shown).toHaveLength(1_000 - 16);
    expect(given.scrub('i', 'value-999 value-998')).toBe('[secret] [secret]');
    expect([given.has('i', 0), given.has('i', 999)]).toEqual([false, true]);
  });

  it('before a rotation stay known however often the copy after it starts anew', () => {
    const given = new GivenValues();
    given.add('i', 1, values('before', 'both'));
    for (let n = 0; n < 100; n += 1) given.add('i', 2 + n, values('after', 'both'));
    expect(given.scrub('i', 'before after both')).toBe('[secret] [secret] [secret]');
  });

  it('are known of each revision that has them', () => {
    const given = new GivenValues();
    given.add('i', 1, values('same'));
    given.add('i', 2, values('same'));
    expect([given.has('i', 1), given.has('i', 2), given.has('i', 3)]).toEqual([true, true, false]);
  });

  it('are known again where they come back', () => {
    const given = new GivenValues();
    given.add('i', 1, values('first'));
    for (let n = 0; n < 15; n += 1) given.add('i', 2 + n, values(`value-${n}`));
    given.add('i', 17, values('first'));
    given.add('i', 18, values('another'));
    expect(given.scrub('i', 'first')).toBe('[secret]');
  });
});
