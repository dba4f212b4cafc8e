import assert from 'node:assert/strict';
import type { InstanceRecord, Store } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import { exampleInstance, exampleServer, timeAfter } from './example-rows.js';
import { type Outcomes, outcomesOf } from './outcomes.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };

interface Keyed {
  readonly createdAt: string;
  readonly id: string;
}

function idsInOrder(rows: readonly Keyed[]): string[] {
  const key = (row: Keyed): string => `${row.createdAt} ${row.id}`;
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ id }) => id);
}

/** Instances of which each five were created in the same millisecond. */
async function seed(store: Store, count: number): Promise<InstanceRecord[]> {
  const rows: InstanceRecord[] = [];
  for (let n = 0; n < count; n += 1) {
    const row = exampleInstance({ createdAt: timeAfter((n * 7) % Math.ceil(count / 5)) });
    rows.push(await store.createInstance(row, silent));
  }
  return rows;
}

/** The ids on all pages; `between` is called after each page. */
async function readPages(
  store: Store,
  limit: number,
  between?: (page: readonly InstanceRecord[]) => Promise<unknown>,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.instances.list({ limit, cursor });
    assert.ok(page.items.length <= limit, `a page of ${limit} has ${page.items.length} rows`);
    ids.push(...page.items.map(({ id }) => id));
    await between?.(page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return ids;
}

/** How lists are cut into pages. */
export const listCases = [
  storeCase('lists/order', 'Lists are ordered by createdAt, then by id.', async (store) => {
    const rows = await seed(store, 12);
    const servers = [];
    for (let n = 0; n < 6; n += 1) {
      const server = exampleServer({ createdAt: timeAfter((n * 5) % 3) });
      servers.push(await store.createServer(server, silent));
    }
    const shown = await store.instances.list({ limit: 99 });
    assert.deepEqual(
      shown.items.map(({ id }) => id),
      idsInOrder(rows),
    );
    const shownServers = await store.servers.list({ limit: 99 });
    assert.deepEqual(
      shownServers.items.map(({ id }) => id),
      idsInOrder(servers),
    );
  }),
  storeCase(
    'lists/equal-times',
    'Pages give each row once and in order, also where many were created at the same time.',
    async (store) => {
      const rows = await seed(store, 20);
      for (const limit of [1, 3, 7])
        assert.deepEqual(await readPages(store, limit), idsInOrder(rows), `pages of ${limit}`);
    },
  ),
  storeCase(
    'lists/servers',
    'Pages of servers give each row once, also where all were created at the same time.',
    async (store) => {
      const rows = [];
      for (let n = 0; n < 7; n += 1) rows.push(await store.createServer(exampleServer(), silent));
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.servers.list({ limit: 2, cursor });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(ids, idsInOrder(rows));
    },
  ),
  storeCase('lists/last-page', 'nextCursor is null on the last page and on no other.', async (store) => {
    assert.deepEqual(await store.instances.list({ limit: 1 }), { items: [], nextCursor: null });
    await seed(store, 4);
    const first = await store.instances.list({ limit: 2 });
    assert.notEqual(first.nextCursor, null, 'two rows are still to come');
    const second = await store.instances.list({ limit: 2, cursor: first.nextCursor ?? '' });
    assert.equal(second.nextCursor, null, 'the page that ends with the last row is the last one');
    assert.equal((await store.instances.list({ limit: 4 })).nextCursor, null, 'one page holds all rows');
  }),
  storeCase(
    'lists/rows-that-go',
    'Pages go on behind the last row, also when that row is deleted meanwhile.',
    async (store) => {
      const rows = await seed(store, 10);
      const ids = await readPages(store, 3, async (page) => {
        const last = page.at(-1);
        if (last !== undefined) await store.deleteInstance(last, silent);
      });
      assert.deepEqual(ids, idsInOrder(rows));
    },
  ),
  storeCase(
    'lists/rows-that-come',
    'A row that is there from the first page to the last is given once, whatever is written meanwhile.',
    async (store, bench) => {
      const rows = await seed(store, 15);
      const other = await bench.beside();
      const writing: Promise<Outcomes<unknown>>[] = [];
      const ids = await readPages(store, 2, async (page) => {
        const updates = page.map((row) => other.updateInstance({ ...row, status: 'running' }, silent));
        const creates = [-1000, 1].map((ms) =>
          other.createInstance(exampleInstance({ createdAt: timeAfter(ms) }), silent),
        );
        writing.push(outcomesOf([...updates, ...creates]));
      });
      for (const { codes } of await Promise.all(writing)) assert.deepEqual(codes, [], 'no write failed');
      const seen = ids.filter((id) => rows.some((row) => row.id === id));
      assert.deepEqual(seen, idsInOrder(rows), 'each row that was there is given once, in order');
      assert.equal(new Set(ids).size, ids.length, 'no row is given twice');
    },
  ),
  storeCase('lists/filtered-pages', 'Pages of a filtered list give each row once.', async (store) => {
    const wanted: InstanceRecord[] = [];
    for (const [n, row] of (await seed(store, 18)).entries()) {
      const status = n % 3 === 0 ? 'running' : 'failed';
      const updated = await store.updateInstance({ ...row, status }, silent);
      if (status === 'running') wanted.push(updated);
    }
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.instances.list({ status: ['running'], limit: 3, cursor });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(ids, idsInOrder(wanted));
  }),
  storeCase(
    'lists/foreign-cursor',
    'A cursor that list() did not give is refused with INVALID_ARGUMENT.',
    async (store) => {
      await seed(store, 2);
      const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const others = [encoded(null), encoded([1]), encoded({ a: 1 }), encoded(['soon', 'a'])];
      for (const cursor of ['', 'x', '%', '0', ...others]) {
        const what = `a list from the cursor ${JSON.stringify(cursor)}`;
        await rejectsWith(['INVALID_ARGUMENT'], what, store.instances.list({ limit: 1, cursor }));
        await rejectsWith(['INVALID_ARGUMENT'], what, store.servers.list({ limit: 1, cursor }));
      }
    },
  ),
];
