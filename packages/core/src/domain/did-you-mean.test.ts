import { expect, it } from 'vitest';
import { didYouMean } from './did-you-mean.js';

const fields = [
  'image',
  'port',
  'path',
  'environment',
  'memory_limit',
  'health_check',
  'command',
  'cmd',
  'stdio',
];

it.each([
  ['imge', 'image'],
  ['prot', 'port'],
  ['pth', 'path'],
  ['enviroment', 'environment'],
  ['env', 'environment'],
  ['memoryLimit', 'memory_limit'],
  ['Memory-Limit', 'memory_limit'],
  ['healthcheck', 'health_check'],
  ['comand', 'command'],
  ['studio', 'stdio'],
])('takes %s for %s', (word, meant) => {
  expect(didYouMean(word, fields)).toBe(meant);
});

it.each(['', '_', 'x', 'zz', 'replicas', 'volumes', 'p'.repeat(100_000)])(
  'finds nothing near %.20s',
  (word) => {
    expect(didYouMean(word, fields)).toBeUndefined();
  },
);

it('prefers the nearest', () => {
  expect(didYouMean('port', ['ports', 'port', 'sport'])).toBe('port');
});
