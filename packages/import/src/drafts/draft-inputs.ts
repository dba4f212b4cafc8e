import type { DocumentDraft, ImportInput } from './server-draft.js';
import { inputsOf } from './template.js';

/** The inputs of a draft, each once. */
export function draftInputs(document: DocumentDraft): ImportInput[] {
  const { environment, headers, listens } = document;
  return inputsOf([
    ...environment.values(),
    ...headers.values(),
    ...shownTemplates(document),
    ...(listens ? [listens.url] : []),
  ]);
}

/** The inputs whose values stand where everybody sees them. */
export function shownInputs(document: DocumentDraft): ImportInput[] {
  return inputsOf(shownTemplates(document));
}

function shownTemplates({ command, volumes, endpoint }: DocumentDraft) {
  return [...command.flat(), ...volumes.map(({ text }) => text), ...(endpoint ? [endpoint] : [])];
}
