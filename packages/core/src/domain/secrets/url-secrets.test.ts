import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasUserInfo, replaceUrlSecrets, urlTextAt } from './url-secrets.js';

function moved(url: string) {
  const taken: Record<string, string> = {};
  const rest = replaceUrlSecrets(url, ({ name, value }) => {
    taken[name] = value;
    return '${secret_ref:own:it}';
  });
  return { rest, taken };
}

const token = `sk-a1B2c3D4e5F6g7H8`;

it.each([
  ['https://h/mcp?key=canary', 'https://h/mcp?key=${secret_ref:own:it}', { '?key': 'canary' }],
  [
    'https://h?api_key=can%2Fary&x=1',
    'https://h?api_key=${secret_ref:own:it}&x=1',
    { '?api_key': 'can/ary' },
  ],
  ['https://h/?a=1&token=ca/na?ry=', 'https://h/?a=1&token=${secret_ref:own:it}', { '?token': 'ca/na?ry=' }],
  [
    'https://h/?key=one&key=two',
    'https://h/?key=${secret_ref:own:it}&key=${secret_ref:own:it}',
    { '?key': 'one', '?key#1': 'two' },
  ],
  [`https://h/mcp/${token}/sse`, 'https://h/mcp/${secret_ref:own:it}/sse', { '/1': token }],
  ['https://h/mcp#token=canary', 'https://h/mcp#token=${secret_ref:own:it}', { '?token': 'canary' }],
])('takes the secrets out of %s', (url, rest, taken) => {
  expect(moved(url)).toEqual({ rest, taken });
  for (const name of Object.keys(taken)) expect(urlTextAt(rest, name)).toBe('${secret_ref:own:it}');
});

it.each([
  'https://h/mcp?page=1',
  'https://h/mcp?key=${secret_ref:a:B}',
  'https://h/${secret_ref:team/a:B}/mcp?x=1',
  'no url',
  '',
])('leaves %s alone', (url) => {
  expect(moved(url)).toEqual({ rest: url, taken: {} });
});

it('finds a user name or password', () => {
  expect(hasUserInfo('https://me:canary@h/x')).toBe(true);
  expect(hasUserInfo('https://me@h')).toBe(true);
  expect(hasUserInfo('https://h/a@b?c@d')).toBe(false);
});

it('takes apart and puts together whatever text there is', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string(), (url, more) => {
      const whole = url + more;
      const values: string[] = [];
      const rest = replaceUrlSecrets(whole, ({ value }) => `<${String(values.push(value) - 1)}>`);
      const again = replaceUrlSecrets(rest, () => '');
      expect(again.length).toBeLessThanOrEqual(rest.length);
      if (values.length === 0) expect(rest).toBe(whole);
    }),
  );
});
