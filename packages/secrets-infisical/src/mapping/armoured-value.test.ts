import fc from 'fast-check';
import { expect, it } from 'vitest';
import { armoured, unarmoured } from './armoured-value.js';

it('leaves a value as it is that Infisical keeps as it is', () => {
  for (const value of ['', 'sk-123', 'a b', 'line\r\nline', 'costs $5 {a}'])
    expect(armoured(value)).toBe(value);
});

it.each(['x ', '\tx', 'x\n', '${OTHER}', 'a${dev.folder.KEY}', 'mcpinfra-base64:eA==', ' ', '\u{feff}'])(
  'keeps %j from being changed',
  (value) => {
    const stored = armoured(value);
    expect(stored).toMatch(/^mcpinfra-base64:[\w+/=]+$/u);
    expect(unarmoured(stored)).toBe(value);
  },
);

it('gives back every value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const kept = armoured(value);
      expect(kept.trim()).toBe(kept);
      expect(unarmoured(kept)).toBe(value);
    }),
  );
});
