import { mcpError, type SecretBundle } from '@mcpinfra/core/plugin';
import type { Authentication, UrlSpec } from '../url-spec.js';

/** Makes the headers of a document that stay the same for every request. @throws `INVALID_SPEC` for a value HTTP forbids */
export function fixedHeaders(
  { headers = {}, authentication }: Pick<UrlSpec, 'headers' | 'authentication'>,
  secrets: SecretBundle,
): Readonly<Record<string, string>> {
  const text = (value: string): string => secrets.render(value).reveal();
  const made = Object.entries(headers).map(([name, value]): [string, string] => [name, text(value)]);
  if (authentication) made.push(...credentialHeader(authentication, text));
  for (const [name, value] of made) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/u.test(value)) throw unfit(name);
  }
  return Object.fromEntries(made);
}

function credentialHeader(
  authentication: Authentication,
  text: (value: string) => string,
): readonly [string, string][] {
  switch (authentication.type) {
    case 'bearer':
      return [['Authorization', `Bearer ${text(authentication.token)}`]];
    case 'basic':
      return [['Authorization', basic(text(authentication.username), text(authentication.password))]];
    case 'header':
      return [[authentication.name, text(authentication.value)]];
    case 'oauth2_client_credentials':
      return [];
  }
}

function basic(username: string, password: string): string {
  // RFC 7617, section 2: what follows the first colon is the password.
  if (username.includes(':')) {
    throw mcpError(
      'INVALID_SPEC',
      'The user name of basic authentication holds a colon, which it cannot; correct authentication.username.',
    );
  }
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function unfit(name: string): Error {
  return mcpError(
    'INVALID_SPEC',
    `The value of the header ${name} holds a line break or another character that HTTP forbids in headers; ` +
      'correct the value, or the secret it is made of.',
  );
}
