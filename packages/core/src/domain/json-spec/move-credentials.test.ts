import { expect, it } from 'vitest';
import { moveCredentials } from './move-credentials.js';

function moved(document: object) {
  const taken: Record<string, string> = {};
  const result = moveCredentials(document, ({ part, name }, text) => {
    const key = `${part}.${name}`;
    taken[key] = text;
    return `secret_ref:own:${key}`;
  });
  return { result, taken };
}

it.each([
  [{ authentication: { type: 'bearer', token: 'canary' } }, 'authentication.token'],
  [{ authentication: { type: 'basic', username: 'me', password: 'canary' } }, 'authentication.password'],
  [{ authentication: { type: 'header', name: 'X', value: 'canary' } }, 'authentication.value'],
  [
    { authentication: { type: 'oauth2_client_credentials', client_secret: 'canary' } },
    'authentication.client_secret',
  ],
  [{ registry: { username: 'me', password: 'canary' } }, 'registry.password'],
  [{ headers: { 'X-Api-Key': 'canary' } }, 'headers.X-Api-Key'],
  [{ headers: { Authorization: 'canary' } }, 'headers.Authorization'],
])('takes the credential out of %j', (document, key) => {
  const { result, taken } = moved(document);
  expect(taken).toEqual({ [key]: 'canary' });
  expect(JSON.stringify(result)).toBe(JSON.stringify(document).replace('canary', `secret_ref:own:${key}`));
});

it.each([
  { authentication: { type: 'bearer', token: 'secret_ref:a:B' } },
  { headers: { Authorization: 'Bearer ${secret_ref:a:B}', Accept_Language: 'de' } },
  { environment: { API_KEY: 'x' }, labels: { token: 'x' } },
  { authentication: 'x', headers: ['x'], registry: null },
])('leaves %j alone', (document) => {
  expect(moved(document)).toEqual({ result: document, taken: {} });
});
