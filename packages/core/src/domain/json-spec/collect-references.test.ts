import { expect, it } from 'vitest';
import { collectReferences } from './collect-references.js';

const spec = {
  type: 'url',
  endpoint: 'https://example.com/secret_ref:not:ME',
  environment: { A: 'secret_ref:a:A', B: 'x${secret_ref:b:B}${secret_ref:a:A}', C: 'plain' },
  headers: { D: 'Bearer ${secret_ref:d:D:more}' },
  authentication: { type: 'bearer', token: 'secret_ref:a:A' },
};

it('gives every reference of a document once', () => {
  expect(collectReferences(spec)).toEqual([
    { scope: 'a', key: 'A' },
    { scope: 'b', key: 'B' },
    { scope: 'd', key: 'D:more' },
  ]);
});

it('tells the references of the environment from the others', () => {
  expect(collectReferences(spec, 'environment').map(({ key }) => key)).toEqual(['A', 'B']);
  expect(collectReferences(spec, 'elsewhere').map(({ key }) => key)).toEqual(['D:more', 'A']);
});
