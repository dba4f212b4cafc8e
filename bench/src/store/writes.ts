import type { InstanceRecord } from '@mcpinfra/core/plugin';
import { exampleEvent } from './example-instance.js';
import type { StoreGround } from './store-ground.js';

/** The tables of a floor: those that a store needs, or the bare minimum. */
export type FloorSchema = 'floor_bench' | 'bare_bench';

/** So long each side writes in a round. */
const roundMs = 1_000;

/** How many write at once, and which is the first of the rows that are theirs alone. */
export interface Side {
  readonly parallel: number;
  readonly first: number;
}

/** Changes states through the store, each with its event. Returns how many a second. */
export function storeWrites({ store, rows }: StoreGround, side: Side): () => Promise<number> {
  const current = rows.slice(side.first, side.first + side.parallel);
  return () =>
    perSecond(side.parallel, async (n) => {
      const row = current[n];
      if (row === undefined) return;
      current[n] = await store.updateInstance(toggled(row), { events: [exampleEvent(row)] });
    });
}

/** Does the same with one prepared statement. */
export function rawWrites(
  { pool, rows }: StoreGround,
  side: Side,
  schema: FloorSchema,
): () => Promise<number> {
  const current = rows.slice(side.first, side.first + side.parallel);
  return () =>
    perSecond(side.parallel, async (n) => {
      const row = current[n];
      if (row === undefined) return;
      const next = toggled(row);
      const { rowCount } = await pool.query({
        name: `raw-write-${schema}`,
        text: `with changed as (
            update ${schema}.instances set resource_version = $2 + 1, status = $3, body = $4
             where id = $1 and resource_version = $2 returning id)
          insert into ${schema}.events (body) select $5::json from changed`,
        values: [
          row.id,
          row.resourceVersion,
          next.status,
          JSON.stringify(next),
          JSON.stringify(exampleEvent(row)),
        ],
      });
      if (rowCount !== 1) throw new Error('The floor lost a write.');
      current[n] = { ...next, resourceVersion: row.resourceVersion + 1 };
    });
}

function toggled(row: InstanceRecord): InstanceRecord {
  return { ...row, status: row.status === 'running' ? 'unhealthy' : 'running' };
}

/** Has so many work at once, each on a row of its own, for the time of a round. */
async function perSecond(parallel: number, work: (n: number) => Promise<void>): Promise<number> {
  const started = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: parallel }, async (_, n) => {
      while (performance.now() - started < roundMs) {
        await work(n);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - started);
}
