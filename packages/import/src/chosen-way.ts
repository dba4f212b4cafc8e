import type { NotCarried } from './documents/import-report.js';
import type { ServerDraft, ServerWays } from './drafts/server-draft.js';

/** A type of documents that an import makes. */
export type ImportType = 'docker' | 'process' | 'url';

/** All of them, in the order in which they are preferred. */
export const importTypes: readonly ImportType[] = ['docker', 'process', 'url'];

/** Chooses one of the ways to run a server, and says of the others that they are left. */
export function chosenWay(
  ways: ServerWays,
  type: ImportType | readonly ImportType[] = importTypes,
): { readonly chosen: ServerDraft | undefined; readonly left: readonly NotCarried[] } {
  const [chosen = ways[0]] = [type]
    .flat()
    .flatMap((one) => ways.find(({ document }) => document.type === one) ?? []);
  const left = ways
    .filter((way) => way !== chosen)
    .map(({ path, document }) => ({
      path,
      message: `Another way to run the server, as ${document.type}; the one at ${chosen?.path ?? ''} is taken. Choose with { type }.`,
    }));
  return { chosen, left };
}
