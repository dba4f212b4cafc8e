import { mcpError, type Page } from '@mcpinfra/core/plugin';
import type { Row } from '../database/database.js';
import { formatCursor, type Place } from './list-cursor.js';

/** Reads a page off rows that may be one more than were asked for: then there is another page. */
export function pageOf<T extends Place>(
  rows: readonly Row[],
  { limit }: { readonly limit: number },
): Page<T> {
  const items = rows.slice(0, limit).map((row) => JSON.parse(row['body'] ?? '') as T);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? formatCursor(last) : null };
}

/** @throws `INVALID_ARGUMENT` for a limit that is no integer above 0 */
export function checkLimit({ limit }: { readonly limit: number }): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return;
  throw mcpError('INVALID_ARGUMENT', `The limit of a list is an integer above 0, not ${limit}.`);
}
