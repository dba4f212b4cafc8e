import type { StoreGround } from './store-ground.js';

const limit = 100;
const pagesEach = 50;

/** Reads pages of 100 one after another through the store. Returns milliseconds for each. */
export function storePages({ store }: StoreGround): () => Promise<number> {
  let cursor: string | undefined;
  return () =>
    msEach(async () => {
      const page = await store.instances.list({ limit, cursor });
      if (page.items.length < limit) throw new Error('The store gave less than a page.');
      cursor = page.nextCursor ?? undefined;
    });
}

/** Reads the same by hand. */
export function rawPages({ pool }: StoreGround): () => Promise<number> {
  let after: { readonly created_at: Date; readonly id: string } = { created_at: new Date(0), id: '' };
  return () =>
    msEach(async () => {
      const { rows } = await pool.query<{ id: string; created_at: Date; body: unknown }>({
        name: 'raw-page',
        text: `select id, created_at, body from bare_bench.instances
          where (created_at, id) > ($1, $2) order by created_at, id limit ${limit}`,
        values: [after.created_at, after.id],
      });
      const last = rows.at(-1);
      if (rows.length < limit || last === undefined) throw new Error('The floor gave less than a page.');
      after = last;
    });
}

async function msEach(read: () => Promise<void>): Promise<number> {
  const started = performance.now();
  for (let page = 0; page < pagesEach; page += 1) await read();
  return (performance.now() - started) / pagesEach;
}
