import { expect, it } from 'vitest';
import { looksLikeSecret } from './looks-like-secret.js';

it.each([
  'API_KEY',
  'apiKey',
  'APIKEY',
  'KEY',
  'github_token',
  'TOKEN',
  'CLIENT_SECRET',
  'DB_PASSWORD',
  'password',
  'GOOGLE_CREDENTIALS',
  'x-api-key',
])('the name %s says so', (name) => {
  expect(looksLikeSecret(name, 'x')).toBe(true);
});

it.each(['MONKEY', 'TURKEY', 'KEYBOARD', 'TOKEN_LIMIT', 'KEY_ID', 'PASSWORD_FILE', 'LOG_LEVEL', ''])(
  'the name %s does not',
  (name) => {
    expect(looksLikeSecret(name, 'x')).toBe(false);
  },
);

const random = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';

it.each([
  `ghp_${random}`,
  `github_pat_11${random}`,
  `sk-${random}`,
  `sk-proj-${random}`,
  `sk-ant-api03-${random}`,
  `sk_live_${random}`,
  `xoxb-123456789012-${random}`,
  `xoxp-123456789012-${random}`,
  'AKIAIOSFODNN7EXAMPLE',
  `AIza${random}`,
  `glpat-${random}`,
  `npm_${random}`,
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
  '-----BEGIN PRIVATE KEY-----\nMIIE',
  '-----BEGIN OPENSSH PRIVATE KEY-----\nMIIE',
  'postgres://app:hunter2@db:5432/app',
  'redis://:hunter2@cache:6379',
  `Bearer ghp_${random}`,
])('the value %s says so', (value) => {
  expect(looksLikeSecret('VALUE', value)).toBe(true);
});

it.each(['', 'true', 'secret_ref:a:B', 'postgres://app:${secret_ref:db:PASSWORD}@db/app'])(
  'the value %j under a secret name does not',
  (value) => {
    expect(looksLikeSecret('API_TOKEN', value)).toBe(false);
  },
);

it.each([
  'https://example.com:8080/a@b',
  'postgres://app@db/app',
  'task-force-of-everybody',
  'debug',
  '/data',
  'me@example.com',
])('the value %s does not', (value) => {
  expect(looksLikeSecret('VALUE', value)).toBe(false);
});
