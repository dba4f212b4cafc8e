import { describe, expect, it } from 'vitest';
import { plainCopy, toJson } from './json.js';

describe('a copy of plain data', () => {
  it.each([
    ['nested fields', { a: { b: [1, 'two', null, true, { c: {} }] } }],
    ['fields that are undefined', { a: undefined, b: { c: undefined } }],
    ['items that are undefined', [undefined, 1]],
    ['holes', Object.assign([], { 2: 'c' })],
    ['a negative zero', { zero: -0 }],
    ['a field named __proto__', JSON.parse('{"__proto__":{"a":1},"b":2}')],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['half of a surrogate pair', { text: 'a\ud83e' }],
    ['text alone', 'text'],
  ])('is what JSON would give back: %s', (_, given: unknown) => {
    expect(plainCopy(given)).toStrictEqual(JSON.parse(JSON.stringify(given)));
    expect(toJson(given)).toBe(JSON.stringify(given));
  });

  it('shares nothing with what it was made of', () => {
    const given = { labels: { a: '1' }, tools: [{ name: 'a' }] };
    const copy = plainCopy(given);
    given.labels.a = '2';
    given.tools[0] = { name: 'b' };
    expect(copy).toEqual({ labels: { a: '1' }, tools: [{ name: 'a' }] });
  });

  it.each([[new Date(0)], [new Map()], [NaN], [Infinity], [1n], [Symbol('a')], [() => 1]])(
    'is refused for what JSON cannot express: %s',
    (value) => {
      expect(() => plainCopy({ deep: [value] })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );
});
