import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.js';

describe('a secret', () => {
  const secret = new Secret('canary');

  it('gives its value only when asked to reveal it', () => {
    expect(secret.reveal()).toBe('canary');
  });

  it.each([
    ['a template', () => secret as unknown as string],
    ['a concatenation', () => 'x' + String(secret)],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspect', () => inspect({ secret }, { depth: null, showHidden: true })],
    ['format %s', () => format('%s %o %j %O %d', secret, secret, secret, secret, secret)],
    ['an error and its cause', () => inspect(new Error(String(secret), { cause: secret }))],
    [
      'its keys',
      () => JSON.stringify([Object.keys(secret), Object.entries(secret), Object.assign({}, secret)]),
    ],
    ['a map and a set', () => inspect(new Map([[secret, new Set([secret])]]), { depth: null })],
  ])('does not show in %s', (_how, print) => {
    expect(print()).not.toContain('canary');
  });

  it('refuses to be cloned', () => {
    expect(() => structuredClone(secret)).toThrow();
  });
});
