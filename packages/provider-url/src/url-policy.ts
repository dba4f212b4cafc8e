import { forbidding } from '@mcpinfra/core/plugin';
import { urlSpecSchema, type UrlSpec } from './url-spec.js';
import type { Allowed } from './address/allowed.js';
import { refusalSentence, refusedWithoutLookup } from './address/refusal.js';

/** The schema of a document under the rules of the host, as far as they can be told without asking the DNS. */
export function policySchema(allowed: Allowed): typeof urlSpecSchema {
  return forbidding(urlSpecSchema, (spec) =>
    addressesOf(spec).flatMap(([path, url]) => {
      const refused = refusedWithoutLookup(new URL(url), allowed);
      return refused ? [{ code: 'not_a_choice', path, message: refusalSentence(refused) }] : [];
    }),
  );
}

function addressesOf({
  endpoint,
  authentication,
}: UrlSpec): readonly (readonly [readonly string[], string])[] {
  const found: (readonly [readonly string[], string])[] = [[['endpoint'], endpoint]];
  if (authentication?.type === 'oauth2_client_credentials')
    found.push([['authentication', 'token_url'], authentication.token_url]);
  return found;
}
