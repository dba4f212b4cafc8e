import { expect, it } from 'vitest';
import { inSeconds } from './in-seconds.js';

it.each([
  [292.970_537_999, '0.29 s'],
  [2_499.885_848, '2.5 s'],
  [50, '0.05 s'],
  [9_996, '10 s'],
  [15_000, '15 s'],
  [12_345.6, '12.3 s'],
  [1_234_567.8, '1235 s'],
  [0, '0 s'],
])('tells %d ms as %s', (timeMs, text) => {
  expect(inSeconds(timeMs)).toBe(text);
});
