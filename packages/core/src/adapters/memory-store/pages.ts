import { mcpError } from '../../plugin-essentials.js';
import type { Page } from '../../plugin.js';
import type { Cells } from './cells.js';
import { formatCursor, parseCursor } from './list-cursor.js';
import type { Ordered, RowOrder } from './row-order.js';

/** What a page is taken from. */
export interface PageSource<V> {
  readonly rows: Cells<string, V>;
  readonly order: RowOrder;
  /** The only id that can match, where an index knows it; `null` when nothing can. */
  readonly only?: string | null | undefined;
  matches(row: V): boolean;
}

/** Takes a page of the rows that match, in the order of creation. */
export function pageOf<V extends Ordered>(
  source: PageSource<V>,
  query: { readonly limit: number; readonly cursor?: string | undefined },
): Page<V> {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1) {
    throw mcpError('INVALID_ARGUMENT', `The limit of a list is an integer above 0, not ${query.limit}.`);
  }
  const items: V[] = [];
  for (const row of rowsOf(source, query.cursor)) {
    if (items.length === query.limit) return { items, nextCursor: formatCursor(items.at(-1) ?? row) };
    items.push(row);
  }
  return { items, nextCursor: null };
}

/** The rows that match, in the order of creation. */
export function* rowsOf<V extends Ordered>(source: PageSource<V>, cursor?: string): Generator<V> {
  const place = cursor === undefined ? undefined : parseCursor(cursor);
  const ids = source.only === undefined || place !== undefined ? source.order.after(place) : [source.only];
  for (const id of ids) {
    const row = id === null ? undefined : source.rows.get(id);
    if (row !== undefined && source.matches(row)) yield row;
  }
}
