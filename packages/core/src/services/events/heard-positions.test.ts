import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeardPositions } from './heard-positions.js';

it('tells each position once, whatever comes in whatever order and however often', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 30 }))), (steps) => {
      const heard = new HeardPositions(3);
      const told = new Set([1, 2, 3]);
      for (const [passes, position] of steps) {
        if (passes) {
          heard.pass(position);
          for (let n = 1; n <= position; n += 1) told.add(n);
        } else {
          expect(heard.hear(position)).toBe(!told.has(position));
          told.add(position);
        }
        let floor = 0;
        while (told.has(floor + 1)) floor += 1;
        expect(heard.floor).toBe(floor);
      }
    }),
  );
});
