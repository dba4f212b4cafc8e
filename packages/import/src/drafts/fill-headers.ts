import { looksLikeSecret, scanReferences, type Issue } from '@mcpinfra/core/plugin';
import type { DraftValues } from './draft-values.js';
import { unlessEmpty, type FilledPart } from './filled-part.js';
import type { DocumentDraft, ImportInput, Template } from './server-draft.js';

/**
 * Fills the headers of a remote server. A secret that a header's name does not tell of would be stored in clear, so it
 * becomes the `authentication`, of which there is one.
 */
export function fillHeaders({ headers }: DocumentDraft, values: DraftValues): FilledPart {
  const plain = new Map<string, string>();
  const authentication: object[] = [];
  const issues: Issue[] = [];
  for (const [name, template] of headers) {
    const value = values.fill(template);
    if (value === undefined) continue;
    const secret = secretOf(template);
    if (!secret || isKnownSecret(name, value)) plain.set(name, value);
    else if (authentication.length === 0) authentication.push({ type: 'header', name, value });
    else issues.push({ path: secret.path, code: 'secret_in_clear', message: anotherSecret });
  }
  const [only] = authentication;
  return {
    own: {
      ...unlessEmpty('headers', Object.fromEntries(plain)),
      ...(only ? { authentication: only } : {}),
    },
    issues,
  };
}

const anotherSecret =
  'One secret header of such a name can be kept, and there is another. Give a reference secret_ref:<scope>:<KEY>.';

function secretOf(template: Template): ImportInput | undefined {
  return template.find((part): part is ImportInput => typeof part !== 'string' && part.secret);
}

/** Whether core keeps the value of a header secret without being told, or it is a reference already. */
function isKnownSecret(name: string, value: string): boolean {
  return looksLikeSecret(name, value) || scanReferences(value).references.length > 0;
}
