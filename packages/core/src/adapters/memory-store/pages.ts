import { checkListLimit, listPage, parseListCursor } from '../../plugin-essentials.js';
import type { ListPlace, Page } from '../../plugin.js';
import type { Cells } from './cells.js';
import type { RowOrder } from './row-order.js';

/** What a page is taken from. */
export interface PageSource<V> {
  readonly rows: Cells<string, V>;
  readonly order: RowOrder;
  /** The only id that can match, where an index knows it; `null` when nothing can. */
  readonly only?: string | null | undefined;
  matches(row: V): boolean;
}

/** Takes a page of the rows that match, in the order of creation. */
export function pageOf<V extends ListPlace>(
  source: PageSource<V>,
  query: { readonly limit: number; readonly cursor?: string | undefined },
): Page<V> {
  checkListLimit(query);
  const rows: V[] = [];
  for (const row of rowsOf(source, query.cursor)) {
    rows.push(row);
    if (rows.length > query.limit) break;
  }
  return listPage(rows, query);
}

/** The rows that match, in the order of creation. */
export function* rowsOf<V extends ListPlace>(source: PageSource<V>, cursor?: string): Generator<V> {
  const place = cursor === undefined ? undefined : parseListCursor(cursor);
  const ids = source.only === undefined || place !== undefined ? source.order.after(place) : [source.only];
  for (const id of ids) {
    const row = id === null ? undefined : source.rows.get(id);
    if (row !== undefined && source.matches(row)) yield row;
  }
}
