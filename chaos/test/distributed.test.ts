import { setTimeout as sleep } from 'node:timers/promises';
import { postgresStore } from '@mcpinfra/store-postgres';
import type { Store } from '@mcpinfra/core/plugin';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import Docker from 'dockerode';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../src/fleet.js';
import type { ListedInstance } from '../src/member-protocol.js';

const fleet = serviceOrSkip(async () => {
  const started = await startFleet(2, new AbortController().signal);
  const store = postgresStore({ connectionString: started.postgres.url });
  await store.open();
  return {
    ...started,
    store,
    stop: async () => {
      await store.close();
      await started[Symbol.asyncDispose]();
    },
  };
});

async function until(what: string, isSo: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) expect.fail(`${what}: not so within ${timeoutMs / 1_000} s`);
    await sleep(50);
  }
}

async function create({ api }: Fleet, name: string, transport: 'stdio' | 'http' = 'stdio'): Promise<string> {
  return String(await api.ask({ ask: 'create', name, transport }, { key: `create-${name}` }));
}

async function listed({ api }: Fleet, id: string): Promise<ListedInstance | undefined> {
  const all = (await api.ask({ ask: 'list' })) as readonly ListedInstance[];
  return all.find((instance) => instance.id === id);
}

async function untilRunning(of: Fleet, id: string, timeoutMs?: number): Promise<void> {
  await until(
    `${id} to run`,
    async () => {
      const { status, settled } = (await listed(of, id)) ?? { status: '', settled: false };
      return status === 'running' && settled;
    },
    timeoutMs,
  );
}

/** The names of the running containers of an instance. */
async function containersOf({ engine }: Fleet, id: string): Promise<readonly string[]> {
  const docker = new Docker({ socketPath: engine.socketPath });
  const filters = { label: [`io.mcpinfra.instance=${id}`] };
  return (await docker.listContainers({ filters })).flatMap(({ Names: names }) => names);
}

/** Who holds the shards, and how many. */
async function shares(store: Store): Promise<ReadonlyMap<string, number>> {
  const shards = (await store.leases.list()).filter(({ name }) => /\/\d+$/u.test(name));
  return new Map(
    shards.map(({ holderId }) => [holderId, shards.filter((l) => l.holderId === holderId).length]),
  );
}

describe('two workers and an API process, on PostgreSQL, Redis and an engine', () => {
  it('share the work, and reach servers over stdio through the worker that runs them', async () => {
    await until('equal shares', async () =>
      [...(await shares(fleet().store)).values()].every((n) => n === 8),
    );
    const ids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => create(fleet(), name)));
    for (const id of ids) {
      await untilRunning(fleet(), id);
      expect(await fleet().api.ask({ ask: 'call', id })).toBe(true);
      expect(await containersOf(fleet(), id)).toHaveLength(1);
    }
  }, 90_000);

  it('go on without Redis', async () => {
    await fleet().redis.kill();
    const id = await create(fleet(), 'without-redis', 'http');
    // Long before anything is compared: the log tells it too.
    await untilRunning(fleet(), id, 20_000);
    await fleet().redis.restart();
    expect(await fleet().api.ask({ ask: 'call', id })).toBe(true);
  }, 60_000);

  it('write nothing and route nothing of a worker that was frozen past its lease and wakes up', async () => {
    const { store, workers } = fleet();
    const [first] = workers;
    const before = new Set((await shares(store)).keys());
    first?.freeze();
    await until('the other to hold everything', async () => (await shares(store)).size === 1);
    const [holder] = (await shares(store)).keys();
    const frozen = [...before].find((id) => id !== holder);
    // Every instance gets a revision that the frozen worker has never heard of.
    const { items } = await store.instances.list({ limit: 100 });
    for (const { id } of items)
      await fleet().api.ask({ ask: 'update', id, value: 'thawed' }, { key: `freeze-${id}` });
    for (const { id } of items) await untilRunning(fleet(), id);
    const rows = (await store.instances.list({ limit: 100 })).items;
    const epochs = new Set((await store.leases.list()).map(({ epoch }) => epoch));
    first?.thaw();
    await until('it to be back', async () => [...(await shares(store)).keys()].some((id) => id === frozen));
    await until('it to be taken in again', async () => (await shares(store)).size === 2);
    for (const row of rows) {
      const now = await store.instances.get(row.id);
      // Only who holds a lease that was taken after the freeze has written since.
      expect(now?.runtime.leaseEpoch).toBeGreaterThanOrEqual(Math.min(...epochs));
      const right = [`/mcp-${row.slug}-r${String(now?.runtime.active?.revision)}`];
      // The copy of before serves the sessions it has, of other processes too, until its time to drain is over.
      await until(
        'nothing else to run',
        async () => String(await containersOf(fleet(), row.id)) === String(right),
        45_000,
      );
      expect(await fleet().api.ask({ ask: 'call', id: row.id })).toBe(true);
    }
  }, 120_000);

  it('neither route to nor keep a copy that was made too late', async () => {
    const { api, engine, store } = fleet();
    const [row] = (await store.instances.list({ limit: 1 })).items;
    const id = row?.id ?? expect.fail('there is no instance');
    const docker = new Docker({ socketPath: engine.socketPath });
    const [right = ''] = await containersOf(fleet(), id);
    const { Image: image, Config: config } = await docker.getContainer(right.slice(1)).inspect();
    // What a worker may still do that was frozen between its look at the lease and its call of the engine.
    const late = await docker.createContainer({
      name: `mcp-${row?.slug ?? ''}-r99`,
      Image: image,
      Labels: { ...config.Labels, 'io.mcpinfra.revision': '99' },
      OpenStdin: true,
      HostConfig: { NetworkMode: 'none' },
    });
    await late.start();
    expect(await containersOf(fleet(), id)).toHaveLength(2);
    await until('it to be removed', async () => (await containersOf(fleet(), id)).length === 1, 45_000);
    expect(await containersOf(fleet(), id)).toEqual([right]);
    expect(await api.ask({ ask: 'call', id })).toBe(true);
  }, 90_000);

  it('hand over when one ends, and run what was asked for while all were down once they are back', async () => {
    const { store, workers } = fleet();
    const [first, second] = workers;
    await first?.end();
    await until('the other to hold everything', async () => {
      const held = await shares(store);
      return held.size === 1 && [...held.values()][0] === 16;
    });
    second?.kill();
    const id = await create(fleet(), 'nobody-there');
    expect((await listed(fleet(), id))?.status).toBe('pending');
    const signal = new AbortController().signal;
    await Promise.all(workers.map((worker) => worker.start(signal)));
    await untilRunning(fleet(), id, 45_000);
    expect(await containersOf(fleet(), id)).toHaveLength(1);
  }, 120_000);

  it('remove nothing when the database was restored to a time before the instances', async () => {
    const { postgres, store, workers, engine } = fleet();
    const more = await Promise.all(['r', 's', 't', 'u', 'v', 'w', 'x'].map((name) => create(fleet(), name)));
    for (const id of more) await untilRunning(fleet(), id);
    for (const worker of workers) worker.kill();
    const pool = new pg.Pool({ connectionString: postgres.url });
    await pool.query('delete from mcpinfra.instances');
    await pool.end();
    const docker = new Docker({ socketPath: engine.socketPath });
    const running = async () =>
      (await docker.listContainers({ filters: { label: ['io.mcpinfra.fleet'] } })).length;
    const before = await running();
    expect(before).toBeGreaterThan(5);
    await Promise.all(workers.map((worker) => worker.start(new AbortController().signal)));
    await until(
      'it to be told',
      async () => {
        const events = await store.events.read({ after: 0, types: ['FleetDegraded'], limit: 1_000 });
        return events.some(({ data }) => 'reason' in data && data.reason === 'ORPHANS_SUSPECT');
      },
      60_000,
    );
    expect(await running()).toBe(before);
  }, 120_000);
});
