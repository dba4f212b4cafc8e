import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.js';
import { newSchema, startTestPostgres } from './support/postgres.js';

const postgres = serviceOrSkip(startTestPostgres);
const open: Store[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(open.splice(0).map((store) => store.close()));
});

async function opened(schema: string): Promise<Store> {
  const store = postgresStore({ connectionString: postgres().url, schema });
  open.push(store);
  await store.open();
  return store;
}

async function holderProcess(schema: string, ...names: string[]): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./fixtures/holder.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, postgres().url, schema, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

/** Ends the connections of this process to the server, as an administrator may. */
async function cutAll(): Promise<void> {
  await postgres().pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query not like '%pg_terminate%' and backend_type = 'client backend'",
  );
}

const me = { id: 'me', ttlMs: 15_000 };

/** Waits until a process that is killed now has lost its lease, so that whoever was to be missed meanwhile has been. */
async function untilOneIsMissed(schema: string, store: Store): Promise<void> {
  const child = await holderProcess(schema, 'killed');
  child.kill('SIGKILL');
  await eventually('the lease of a killed process', async () => {
    const leases = await store.leases.acquire(['killed'], me);
    return leases.length === 1 ? true : undefined;
  });
}

describe('leases of a process', () => {
  it('are free soon after it was killed, long before they run out', async () => {
    const schema = newSchema();
    const store = await opened(schema);
    const heard: string[] = [];
    store.watch?.((news) => heard.push(news));
    const child = await holderProcess(schema, 'a', 'b');
    expect(await store.leases.acquire(['a', 'b'], me)).toEqual([]);
    heard.length = 0;
    child.kill('SIGKILL');
    const killedMs = performance.now();
    await eventually('news of it', async () => (heard.includes('leases') ? true : undefined));
    const taken = await eventually('its leases', async () => {
      const leases = await store.leases.acquire(['a', 'b'], me);
      return leases.length === 2 ? leases : undefined;
    });
    expect(taken.map(({ holderId }) => holderId)).toEqual(['me', 'me']);
    expect(performance.now() - killedMs).toBeLessThan(10_000);
  });

  it('stay its own while it is frozen, until they run out', async () => {
    const schema = newSchema();
    const store = await opened(schema);
    store.watch?.(() => undefined);
    const child = await holderProcess(schema, 'a');
    child.kill('SIGSTOP');
    const [held] = await store.leases.list();
    await untilOneIsMissed(schema, store);
    expect((await store.leases.list())[0]?.expiresAt).toBe(held?.expiresAt);
  });

  it('stay its own when all connections are cut and it connects again', async () => {
    const schema = newSchema();
    const [holding, other] = [await opened(schema), await opened(schema)];
    const holder = { id: 'holder', ttlMs: 15_000 };
    await holding.leases.acquire(['a'], holder);
    const [taken] = await holding.leases.renew(holder);
    holding.watch?.((news) => {
      if (news === 'leases') holding.leases.renew(holder).catch(() => undefined);
    });
    other.watch?.(() => undefined);
    await cutAll();
    await eventually('the other store', async () => other.leases.list().catch(() => undefined));
    await untilOneIsMissed(schema, other);
    expect(await other.leases.acquire(['a'], me)).toEqual([]);
    expect((await other.leases.list())[0]).toMatchObject({ holderId: 'holder', epoch: taken?.epoch });
  });

  it('of an earlier version, which shows nothing, are left to run out', async () => {
    const schema = newSchema();
    const store = await opened(schema);
    store.watch?.(() => undefined);
    await store.leases.acquire(['a'], me);
    await store.leases.renew(me);
    await postgres().pool.query(`update ${schema}.leases set holder_id = 'earlier'`);
    const [held] = await store.leases.list();
    await untilOneIsMissed(schema, store);
    expect((await store.leases.list())[0]?.expiresAt).toBe(held?.expiresAt);
  });

  it('that are taken for one act and never prolonged leave no lock behind', async () => {
    const schema = newSchema();
    const store = await opened(schema);
    for (let n = 0; n < 20; n += 1) {
      await store.leases.acquire(['act'], { id: `act-${n}`, ttlMs: 15_000 });
      await store.leases.release(['act'], `act-${n}`);
    }
    const { rows } = await postgres().pool.query("select from pg_locks where locktype = 'advisory'");
    expect(rows).toEqual([]);
  });
});
