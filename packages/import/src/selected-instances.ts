import { meantOr, mcpError } from '@mcpinfra/core/plugin';
import type { ServerDraft } from './drafts/server-draft.js';

/** The names of the instances that are to be made. @throws `INVALID_ARGUMENT` for one that is not in the document */
export function selectedInstances(
  drafts: readonly ServerDraft[],
  which: boolean | readonly string[],
): ReadonlySet<string> {
  const names = drafts.map(({ instance }) => instance.name);
  if (typeof which === 'boolean') return new Set(which ? names : []);
  const unknown = which.find((name) => !names.includes(name));
  if (unknown === undefined) return new Set(which);
  const hint = meantOr(unknown, names, `It has: ${names.slice(0, 20).join(', ')}.`);
  throw mcpError(
    'INVALID_ARGUMENT',
    `The document has no server ${JSON.stringify(unknown.slice(0, 100))}. ${hint}`,
  );
}
