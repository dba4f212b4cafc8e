import { expect, it } from 'vitest';
import { parseByteSize } from './byte-size.js';

it.each([
  ['0', 0],
  ['512', 512],
  ['256b', 256],
  ['1k', 1024],
  ['1kb', 1024],
  ['1Ki', 1024],
  ['1KiB', 1024],
  ['256m', 256 * 1024 ** 2],
  ['256M', 256 * 1024 ** 2],
  ['256mb', 256 * 1024 ** 2],
  ['256 MiB', 256 * 1024 ** 2],
  ['1.5g', 1.5 * 1024 ** 3],
  ['2t', 2 * 1024 ** 4],
])('%s is %d bytes', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

it.each(['', 'm', '-1m', '1.m', '.5g', '1x', '1 0m', '1e3', '256mbm', ' 1m', '1m ', '999999p', '0x10'])(
  '%j is no size',
  (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  },
);
