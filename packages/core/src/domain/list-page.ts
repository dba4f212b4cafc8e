import { mcpError, type MCPInfraError } from './errors/mcpinfra-error.js';

/** Where a row is in the order of its table, which is that of creation. */
export interface ListPlace {
  readonly createdAt: string;
  readonly id: string;
}

/** A page of rows in the order of creation, with the cursor of the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

/** Which page of a list is asked for. */
export interface PageQuery {
  /** The most on a page. @defaultValue 100 */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the page before. @defaultValue the beginning */
  readonly cursor?: string | undefined;
}

/**
 * Gives every row of every page, each page when it is needed.
 *
 * @throws `PLUGIN_CONTRACT` where a page comes again, so that there would be no end
 */
export async function* rowsOfPages<T extends { readonly id: string }>(
  pageAt: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void> {
  const cursors = new Set<string>();
  const firstRows = new Set<string>();
  for (let cursor: string | undefined; ;) {
    const page = await pageAt(cursor);
    const first = page.items[0]?.id;
    if (first !== undefined && firstRows.has(first))
      throw repeats(`a second page that begins with the row ${JSON.stringify(first)}`);
    if (first !== undefined) firstRows.add(first);
    yield* page.items;
    if (page.nextCursor === null) return;
    if (first === undefined) throw repeats('a page without rows');
    if (cursors.has(page.nextCursor)) throw repeats(`a second cursor ${JSON.stringify(page.nextCursor)}`);
    cursors.add((cursor = page.nextCursor));
  }
}

function repeats(what: string): MCPInfraError {
  return mcpError(
    'PLUGIN_CONTRACT',
    `Expected list() to come to an end, but after ${what} there was always another page.`,
  );
}

/** Makes a page of rows that may be one more than were asked for: then there is another page. */
export function listPage<T extends ListPlace>(
  rows: readonly T[],
  { limit }: { readonly limit: number },
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? formatCursor(last) : null };
}

/** @throws `INVALID_ARGUMENT` for a limit that is no integer above 0 */
export function checkListLimit({ limit }: { readonly limit: number }): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw mcpError('INVALID_ARGUMENT', `The limit of a list is an integer above 0, not ${limit}.`);
}

/**
 * Reads a cursor and gives the place after which its page begins.
 *
 * @throws `INVALID_ARGUMENT` for a text that no {@link listPage} gave
 */
export function parseListCursor(cursor: string): ListPlace {
  const place = parsePlace(cursor);
  if (place === undefined) {
    throw mcpError(
      'INVALID_ARGUMENT',
      'The cursor is not one that list() gave; pass nextCursor of the page before.',
    );
  }
  return place;
}

function formatCursor({ createdAt, id }: ListPlace): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

function parsePlace(cursor: string): ListPlace | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(place) || place.length !== 2) return undefined;
    const [createdAt, id] = place as readonly unknown[];
    if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) return undefined;
    return typeof id === 'string' ? { createdAt, id } : undefined;
  } catch {
    return undefined;
  }
}
