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
  return perSecond(rows, side, (row) => store.updateInstance(toggled(row), { events: [exampleEvent(row)] }));
}

/** Does the same with one prepared statement. */
export function rawWrites(
  { pool, rows }: StoreGround,
  side: Side,
  schema: FloorSchema,
): () => Promise<number> {
  return perSecond(rows, side, async (row) => {
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
    return { ...next, resourceVersion: row.resourceVersion + 1 };
  });
}

function toggled(row: InstanceRecord): InstanceRecord {
  return { ...row, status: row.status === 'running' ? 'unhealthy' : 'running' };
}

/** Has a side write at once, each time the row as it was written before, for the time of a round. */
function perSecond(
  rows: readonly InstanceRecord[],
  { first, parallel }: Side,
  write: (row: InstanceRecord) => Promise<InstanceRecord>,
): () => Promise<number> {
  const current = rows.slice(first, first + parallel);
  return async () => {
    const started = performance.now();
    let done = 0;
    await Promise.all(
      current.map(async (_, n) => {
        for (let row = current[n]; row && performance.now() - started < roundMs; row = current[n]) {
          current[n] = await write(row);
          done += 1;
        }
      }),
    );
    return (done * 1_000) / (performance.now() - started);
  };
}
