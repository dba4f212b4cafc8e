import { looksLikeSecret, type Issue } from '@mcpinfra/core/plugin';
import { draftInputs, shownInputs } from './draft-inputs.js';
import type { ValuesOf } from './draft-values.js';
import type { DocumentDraft, ImportInput } from './server-draft.js';

/** Finds what is wrong with the values that are given for a draft. */
export function inputIssues(document: DocumentDraft, given: ValuesOf): Issue[] {
  return [
    ...draftInputs(document).flatMap((input) => valueIssues(input, given(input) ?? [])),
    // A secret in the endpoint stands where core takes it away; other documents with one are left behind.
    ...shownInputs(document)
      .filter(({ secret }) => !secret)
      .flatMap((input) => shownSecrets(input, given(input) ?? [])),
  ];
}

function valueIssues({ name, path, choices, repeated }: ImportInput, values: readonly string[]): Issue[] {
  if (values.length > 1 && repeated !== true)
    return [{ path, code: 'wrong_type', message: `${JSON.stringify(name)} takes one value, not a list.` }];
  if (!choices || values.every((value) => choices.includes(value))) return [];
  const message = `${JSON.stringify(name)} takes one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}.`;
  return [{ path, code: 'not_a_choice', message }];
}

function shownSecrets({ name, path }: ImportInput, values: readonly string[]): Issue[] {
  if (!values.some((value) => looksLikeSecret('', value))) return [];
  const message = `The value for ${JSON.stringify(name)} looks like a secret, and would be shown by process lists and logs.`;
  return [{ path, code: 'secret_in_clear', message }];
}
