import { setTimeout as sleep } from 'node:timers/promises';
import { createMCPInfra } from '@mcpinfra/core';
import type { OwnedCopy, Provider } from '@mcpinfra/core/plugin';
import { processSpecSchema } from '@mcpinfra/provider-process';
import { postgresStore } from '@mcpinfra/store-postgres';
import type { StoreGround } from './store-ground.js';
import { exampleInstance } from './example-instance.js';

/** What it costs to compare 10,000 running instances with what really runs. */
export interface ResyncCost {
  /** CPU of the worker's process for one comparison, in milliseconds. */
  readonly cpuMs: number;
  /** CPU for reading the same rows by hand, in milliseconds. */
  readonly floorCpuMs: number;
}

const instances = 10_000;
const placement = 'bench';
const schema = 'mcpinfra_bench_resync';

/** Runs a worker that has nothing to do but to compare, and reads the same rows by hand. */
export async function resyncCost({ pool }: StoreGround, rounds: number): Promise<ResyncCost> {
  const copies: OwnedCopy[] = [];
  let listed = 0;
  const infra = createMCPInfra({
    providers: [listingProvider(copies, () => (listed += 1))],
    store: postgresStore({ pool, schema }),
    resyncEveryMs: 500,
  });
  try {
    await infra.start();
    const { storeId } = infra.identity;
    const store = postgresStore({ pool, schema });
    await store.open();
    for (let n = 0; n < instances; n += 1) {
      const { id: instanceId, slug } = await store.createInstance(exampleInstance(placement), { events: [] });
      const copy = { instanceId, slug, revision: 1 };
      copies.push({ copy, storeId, state: 'running', createdAt: new Date().toISOString() });
    }
    await store.close();
    await nextResync(() => listed, 2);
    const before = process.cpuUsage();
    const first = listed;
    await nextResync(() => listed, rounds);
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1_000 / (listed - first), floorCpuMs: await floor(pool) };
  } finally {
    await infra.stop();
    await pool.query(`drop schema if exists ${schema} cascade`);
  }
}

async function nextResync(listed: () => number, times: number): Promise<void> {
  for (const until = listed() + times; listed() < until;) await sleep(5);
}

async function floor(pool: StoreGround['pool']): Promise<number> {
  const before = process.cpuUsage();
  for (let offset = 0, after = ''; offset < instances; offset += 500) {
    const { rows } = await pool.query<{ id: string; body: unknown }>({
      name: 'raw-resync',
      text: `select id, body from ${schema}.instances where id > $1 order by id limit 500`,
      values: [after],
    });
    after = rows.at(-1)?.id ?? after;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** A provider whose every copy runs for ever. */
function listingProvider(copies: readonly OwnedCopy[], onList: () => void): Provider {
  const startedAt = new Date().toISOString();
  return {
    specificationVersion: 'v1',
    type: 'process',
    specSchema: processSpecSchema,
    open: async () => undefined,
    placement: async () => placement,
    ensureRunning: async () => ({ state: 'running', startedAt, endpoint: { transport: 'stdio' } }),
    ensureStopped: async () => undefined,
    destroy: async () => undefined,
    observe: async () => ({ state: 'running', startedAt, endpoint: { transport: 'stdio' } }),
    list: async () => {
      onList();
      return copies;
    },
    dial: async () => {
      throw new Error('Nothing is dialled here.');
    },
    close: async () => undefined,
  };
}
