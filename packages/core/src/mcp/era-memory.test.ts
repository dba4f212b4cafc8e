import { expect, it } from 'vitest';
import { EraMemory } from './era-memory.js';

it('remembers ten thousand instances, those that were told last', () => {
  const memory = new EraMemory();
  for (let n = 0; n <= 10_000; n += 1) memory.set(String(n), 'legacy');
  memory.set('2', 'modern');
  memory.set('new', 'modern');
  expect(memory.get('0')).toBeUndefined();
  expect(memory.get('1')).toBeUndefined();
  expect(memory.get('2')).toBe('modern');
  expect(memory.get('10000')).toBe('legacy');
});
