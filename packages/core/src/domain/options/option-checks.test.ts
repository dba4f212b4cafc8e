import { expect, it } from 'vitest';
import type { MCPInfraError } from '../errors/mcpinfra-error.js';
import { OptionChecks } from './option-checks.js';

const check = new OptionChecks('makeIt');

const refusal = (use: () => unknown): string => {
  try {
    use();
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    return (error as MCPInfraError).message;
  }
  return 'accepted';
};

it.each<[string, () => unknown, string]>([
  [
    'a mistyped option',
    () => check.known({ prot: 1 }, ['port', 'host']),
    'makeIt has no option "prot"; did you mean "port"?',
  ],
  [
    'an option far from all',
    () => check.known({ zzz: 1 }, ['port', 'host']),
    'makeIt has no option "zzz"; it takes port, host.',
  ],
  [
    'an option within another',
    () => check.known({ prot: 1 }, ['port'], 'listen'),
    'makeIt: listen has no option "prot"; did you mean "port"?',
  ],
  [
    'an empty text',
    () => check.text('a', ' '),
    'makeIt: expected a to be a text that is not empty, got " ".',
  ],
  ['a text for a list', () => check.texts('a', 'x'), 'makeIt: expected a to be a list of texts, got "x".'],
  [
    'a number in a list of texts',
    () => check.texts('a', ['x', 7]),
    'makeIt: expected a[1] to be a text that is not empty, got 7.',
  ],
  [
    'another choice',
    () => check.oneOf('a', 'z', ['x', 'y']),
    'makeIt: expected a to be "x" or "y", got "z".',
  ],
  ['a fraction', () => check.whole('a', 1.5), 'makeIt: expected a to be a whole number from 1 on, got 1.5.'],
  [
    'a number as text',
    () => check.whole('a', '7'),
    'makeIt: expected a to be a whole number from 1 on, got "7".',
  ],
  [
    'a port that is none',
    () => check.whole('a', 70_000, { least: 0, most: 65_535 }),
    'makeIt: expected a to be a whole number from 0 to 65535, got 70000.',
  ],
  ['nothing at all', () => check.above0('a', 0), 'makeIt: expected a to be a number above 0, got 0.'],
  [
    'a number that never ends',
    () => check.above0('a', Infinity),
    'makeIt: expected a to be a number above 0, got Infinity.',
  ],
  ['a size of 0', () => check.size('a', '0'), 'makeIt: expected a to be a size such as "512m", got "0".'],
  [
    'a fleet with a blank',
    () => check.fleet('fleet', 'a b'),
    'makeIt: expected fleet to be 1 to 63 letters, digits, ".", "_" and "-", got "a b".',
  ],
])('refuses %s', (_, use, message) => {
  expect(refusal(use)).toBe(message);
});

it('returns what it took', () => {
  expect(check.text('a', 'x')).toBe('x');
  expect(check.texts('a', ['x', 'y'])).toEqual(['x', 'y']);
  expect(check.oneOf('a', 'x', ['x', 'y'])).toBe('x');
  expect(check.whole('a', 0, { least: 0 })).toBe(0);
  expect(check.above0('a', 0.5)).toBe(0.5);
  expect(check.size('a', '1k')).toBe(1_024);
  expect(check.fleet('a', 'blue-1')).toBe('blue-1');
});

it('shows nothing of what is in an object: it may be a secret', () => {
  for (const came of [{ key: 'canary' }, ['canary'], () => 'canary', new Error('canary')])
    expect(refusal(() => check.text('a', came))).not.toContain('canary');
});
