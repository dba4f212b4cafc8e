import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLater } from './is-later.js';

it('orders the ids of a stream by their milliseconds, then by their sequence, as numbers', () => {
  const part = fc.nat({ max: 2 ** 48 });
  fc.assert(
    fc.property(part, part, part, part, (ms, sequence, otherMs, otherSequence) => {
      const expected = ms > otherMs || (ms === otherMs && sequence > otherSequence);
      expect(isLater(`${ms}-${sequence}`, `${otherMs}-${otherSequence}`)).toBe(expected);
    }),
  );
  expect(isLater('10-9', '9-10')).toBe(true);
  expect(isLater('9-10', '9-9')).toBe(true);
  expect(isLater('9-9', '9-9')).toBe(false);
});
