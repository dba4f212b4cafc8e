import { describe, expect, it } from 'vitest';
import { listPage, parseListCursor, rowsOfPages, type Page } from './list-page.js';

const rows = Array.from({ length: 5 }, (_, n) => ({
  id: `r-${n}`,
  createdAt: `2026-01-0${n + 1}T00:00:00.000Z`,
}));
const pageAt = async (cursor: string | undefined): Promise<Page<(typeof rows)[number]>> => {
  const after = cursor === undefined ? '' : parseListCursor(cursor).id;
  return listPage(rows.filter(({ id }) => id > after).slice(0, 3), { limit: 2 });
};

it('gives a cursor only where there is another page, and begins the next one after it', async () => {
  const first = await pageAt(undefined);
  expect(first.items.map(({ id }) => id)).toEqual(['r-0', 'r-1']);
  expect(parseListCursor(first.nextCursor ?? '')).toEqual(rows[1]);
  expect(listPage(rows.slice(0, 2), { limit: 2 }).nextCursor).toBe(null);
});

it('gives every row of every page once, in order', async () => {
  const ids: string[] = [];
  for await (const { id } of rowsOfPages(pageAt)) ids.push(id);
  expect(ids).toEqual(rows.map(({ id }) => id));
});

it('reads no page that nobody asks for', async () => {
  const read: (string | undefined)[] = [];
  const pages = rowsOfPages(async (cursor) => {
    read.push(cursor);
    return pageAt(cursor);
  });
  expect(read).toEqual([]);
  for await (const { id } of pages) if (id === 'r-1') break;
  expect(read).toEqual([undefined]);
});

it.each(['', 'x', '%', 'W10', Buffer.from('["soon","a"]').toString('base64url')])(
  'refuses the cursor "%s", which no page gave',
  (cursor) => {
    expect(() => parseListCursor(cursor)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  },
);

describe('reading every page', () => {
  it.each<[string, (page: number) => Page<{ id: string }>]>([
    ['the same page comes again', () => ({ items: [{ id: 'a' }], nextCursor: 'c' })],
    ['the same rows come under new cursors', (page) => ({ items: [{ id: 'a' }], nextCursor: `c${page}` })],
    ['cursors go round', (page) => ({ items: [{ id: `r${page}` }], nextCursor: `c${page % 3}` })],
    ['empty pages follow each other', (page) => ({ items: [], nextCursor: `c${page}` })],
  ])('ends with an error where %s', async (_, pageAt) => {
    let page = 0;
    const read = async () => {
      for await (const _ of rowsOfPages(async () => pageAt(page++)));
    };
    await expect(read()).rejects.toMatchObject({ code: 'PLUGIN_CONTRACT' });
    expect(page).toBeLessThan(6);
  });
});
