import { plainShapes, secretShapes, type Shape } from '@mcpinfra/tools';
import { expect, it } from 'vitest';
import {
  isSecretArgument,
  isSecretName,
  isSecretParameter,
  isSecretSegment,
  looksLikeSecret,
} from './looks-like-secret.js';

function isSecret({ place, name, value }: Shape): boolean {
  switch (place) {
    case 'variable':
    case 'header':
      return looksLikeSecret(name, value);
    case 'argument':
      return isSecretArgument(name, value);
    case 'parameter':
      return isSecretParameter({ name, value });
    case 'segment':
      return isSecretSegment(value);
  }
}

it('knows at least a hundred shapes', () => {
  expect(secretShapes.length).toBeGreaterThan(100);
  expect(plainShapes.length).toBeGreaterThan(60);
});

it.each(secretShapes)('$place $name $value is a secret', (shape) => {
  expect(isSecret(shape)).toBe(true);
});

it.each(plainShapes)('$place $name $value is none', (shape) => {
  expect(isSecret(shape)).toBe(false);
});

it.each(['API_KEY', 'SENTRY_DSN', 'DATABASE_URL', 'mongodb_uri', 'Authorization', 'GH_PAT'])(
  'what goes by %s is taken for a secret before it is known',
  (name) => {
    expect(isSecretName(name)).toBe(true);
  },
);

it('takes a password with places like braces in it for one', () => {
  expect(looksLikeSecret('DB_PASSWORD', 'ca{na}ry${x}more')).toBe(true);
});

it.each([
  ['e', 'eyJ'],
  ['://', 'a'],
  ['?a=', '://'],
  ['Bearer ', 'x'],
  [' ', 'password ='],
])('takes a long text of %s quickly', (unit, end) => {
  const text = unit.repeat(200_000 / unit.length) + end;
  const began = performance.now();
  looksLikeSecret('VALUE', text);
  isSecretArgument('--x', text);
  expect(performance.now() - began).toBeLessThan(5_000);
});
