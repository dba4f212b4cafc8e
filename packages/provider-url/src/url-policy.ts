import { type Issue } from '@mcpinfra/core/plugin';
import { urlSpecSchema, type UrlSpec } from './url-spec.js';
import type { Allowed } from './address/allowed.js';
import { refusalSentence, refusedWithoutLookup } from './address/refusal.js';

/** The schema of a document under the rules of the host, as far as they can be told without asking the DNS. */
export function policySchema(allowed: Allowed): typeof urlSpecSchema {
  return urlSpecSchema.superRefine((spec, context) => {
    const code: Issue['code'] = 'not_a_choice';
    for (const [path, url] of addressesOf(spec)) {
      const refused = refusedWithoutLookup(new URL(url), allowed);
      if (!refused) continue;
      context.addIssue({
        code: 'custom',
        path: [...path],
        message: refusalSentence(refused),
        params: { code },
      });
    }
  });
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
