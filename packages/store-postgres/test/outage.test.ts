import type { InstanceRecord, Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { freezableProxy } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from './support/eventually.js';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';
import { event, instance } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);
const open: Store[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
});

async function opened(options: Partial<Parameters<typeof postgresStore>[0]> = {}): Promise<Store> {
  const base = options.connectionString === undefined ? { pool: postgres().pool } : {};
  const store = postgresStore({ ...base, schema: newSchema(), ...options });
  open.push(store);
  await store.open();
  return store;
}

describe('when the server is killed under load', () => {
  it('fails what is in flight as retryable, keeps what it confirmed and goes on once the server is back', async () => {
    const schema = newSchema();
    const store = await opened({ schema });
    const heard: string[] = [];
    store.watch?.((news) => heard.push(news));
    const failures: unknown[] = [];
    const confirmed = new Set<string>();
    let ending = false;
    const writing = Array.from({ length: 8 }, async () => {
      while (!ending) {
        const row = instance();
        try {
          await store.createInstance(row, { events: [event(row.id)] });
          confirmed.add(row.id);
        } catch (error) {
          failures.push(error);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    await eventually('some rows', async () => (confirmed.size > 50 ? true : undefined));
    await postgres().kill();
    await eventually('failures', async () => (failures.length > 8 ? true : undefined));
    await postgres().restart();
    const before = confirmed.size;
    await eventually('rows after the restart', async () => (confirmed.size > before + 50 ? true : undefined));
    ending = true;
    await Promise.all(writing);

    for (const error of failures) expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true });
    const subjects = new Set<string>();
    for (let numbered = await store.events.number(500); numbered.length > 0;) {
      for (const { subject } of numbered) subjects.add(subject);
      numbered = await store.events.number(500);
    }
    // A write that failed may have been made all the same: then its event is there too.
    expect([...confirmed].filter((id) => !subjects.has(id))).toEqual([]);
    expect(await store.instances.count({})).toBe(subjects.size);
    expect(await store.events.head()).toBe(subjects.size);
    // News of other processes are heard again.
    const other = await opened({ schema });
    heard.length = 0;
    await eventually('news of another process', async () => {
      await other.appendEvents([event()]);
      return heard.includes('committed') ? true : undefined;
    });
  });

  it('does not repeat a write whose outcome is unknown', async () => {
    const schema = newSchema();
    const store = await opened({ schema });
    const row = await store.createInstance(instance(), { events: [] });
    const blocker = await postgres().pool.connect();
    blocker.on('error', () => undefined);
    await blocker.query('begin');
    await blocker.query(`select from ${schema}.instances where id = $1 for update`, [row.id]);
    const updating = store.updateInstance({ ...row, status: 'running' }, { events: [event()] });
    updating.catch(() => undefined);
    await eventually('the update to wait', async () => {
      const { rowCount } = await postgres().pool.query(`select from pg_locks where not granted`);
      return rowCount === 0 ? undefined : true;
    });
    await postgres().kill();
    await expect(updating).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: true });
    blocker.release(true);
    await postgres().restart();
    const after = await eventually('the row', async () => (await store.instances.get(row.id)) ?? undefined);
    expect(after.resourceVersion).toBe(1);
    expect(await store.events.number(10)).toEqual([]);
  });
});

describe("when the host's pool is full", () => {
  it('renews leases, tells the time and hears news all the same', async () => {
    const pool = poolAt(postgres().url, 2);
    const schema = newSchema();
    const store = await opened({ pool, schema });
    const holder = { id: 'a', ttlMs: 60_000 };
    await store.leases.acquire(['relay'], holder);
    const heard: string[] = [];
    store.watch?.((news) => heard.push(news));
    const other = await opened({ schema });
    const clients = [await pool.connect(), await pool.connect()];

    expect(await store.leases.renew(holder)).toHaveLength(1);
    expect(Date.parse(await store.now())).not.toBeNaN();
    await eventually('news', async () => {
      await other.appendEvents([event()]);
      return heard.includes('committed') ? true : undefined;
    });
    const given = new AbortController();
    const waiting = store.instances.get('x', { signal: given.signal });
    given.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    for (const client of clients) client.release();
    expect(await store.instances.get('x')).toBeNull();
    // What was given up while it waited came later, and went back.
    expect(pool.waitingCount).toBe(0);
    await store.close();
    await pool.end();
  });
});

describe('a call that is given up', () => {
  it('is not waited for, and harms no later call of the pool', async () => {
    const pool = poolAt(postgres().url, 2);
    const schema = newSchema();
    const store = await opened({ pool, schema });
    const row = await store.createInstance(instance(), { events: [] });
    const blocker = await postgres().pool.connect();
    await blocker.query('begin');
    await blocker.query(`select from ${schema}.instances where id = $1 for update`, [row.id]);
    for (const write of [
      (signal: AbortSignal) =>
        store.updateInstance({ ...row, status: 'running' }, { events: [] }, { signal }),
      (signal: AbortSignal) =>
        store.transaction((writer) => writer.updateInstance({ ...row, status: 'failed' }, { events: [] }), {
          signal,
        }),
    ]) {
      const given = new AbortController();
      const writing: Promise<InstanceRecord> = write(given.signal);
      await eventually('the write to wait', async () => {
        const { rowCount } = await blocker.query(`select from pg_locks where not granted`);
        return rowCount === 0 ? undefined : true;
      });
      given.abort();
      await expect(writing).rejects.toMatchObject({ code: 'ABORTED' });
      expect((await store.instances.get(row.id))?.status).toBe('pending');
      // The server finds the closed connection when it has the lock: undo it here, so that the next case starts clean.
      await blocker.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`,
      );
    }
    await blocker.query('rollback');
    blocker.release();
    expect(await store.updateInstance({ ...row, status: 'running' }, { events: [] })).toMatchObject({
      resourceVersion: 2,
    });
    await store.close();
    await pool.end();
  });
});

describe('behind a pooler that forbids prepared statements', () => {
  it('works without any', async () => {
    const pool = poolAt(postgres().url, 2);
    const store = await opened({ pool, prepared: false });
    const row = await store.createInstance(instance(), {
      events: [event()],
      counters: [{ name: 'instances', by: 1, max: 9 }],
    });
    await store.updateInstance({ ...row, status: 'running' }, { events: [event()] });
    expect((await store.instances.list({ status: ['running'], limit: 5 })).items).toHaveLength(1);
    expect(await store.events.number(10)).toHaveLength(2);
    expect((await pool.query('select from pg_prepared_statements')).rowCount).toBe(0);
    await store.close();
    await pool.end();
  });
});

describe('behind a pooler that brings no notifications', () => {
  it('looks for news every second', async () => {
    const { pool } = postgres();
    const schema = newSchema();
    // As PgBouncer does: other process numbers than the server's, and LISTEN without effect.
    const deaf = {
      connect: async () => {
        const client = await pool.connect();
        return {
          processID: 1,
          query: (query: { text: string }) =>
            client.query(query.text.startsWith('listen') ? { text: 'select' } : query),
          release: (destroy?: boolean) => client.release(destroy),
          on: (event: 'error', listener: (error: Error) => void) => client.on(event, listener),
          removeListener: (event: 'error', listener: (error: Error) => void) =>
            client.removeListener(event, listener),
        };
      },
    };
    const store = await opened({ pool: deaf, schema });
    const heard = new Set<string>();
    store.watch?.((news) => heard.add(news));
    for (let round = 0; round < 2; round += 1) {
      heard.clear();
      await eventually('news', async () => (heard.size === 3 ? true : undefined));
    }
  });
});

describe('a connection that hangs', () => {
  it('is replaced once a call on it was given up', async () => {
    const { pool } = postgres();
    const store = await opened();
    await store.now();
    const { rows } = await pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where query like '%clock_timestamp()) at time zone%' and pid <> pg_backend_pid()`,
    );
    const pids = rows.map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await expect(store.now({ signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
        code: 'ABORTED',
      });
      expect(Date.parse(await store.now())).not.toBeNaN();
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  });
});

describe('a server that accepts and answers no more', () => {
  it('keeps no store from closing, and leaves no connection open', async () => {
    const { url } = postgres();
    const proxy = await freezableProxy(url);
    onTestFinished(() => proxy.close());
    const store = await opened({ connectionString: proxy.url });
    await store.createInstance(instance(), { events: [event()] });
    store.watch?.(() => undefined);
    await Promise.all([store.instances.count({}), store.events.head(), store.now()]);
    expect(proxy.connections()).toBeGreaterThan(1);
    proxy.freeze();
    const given = new AbortController();
    const asked = store.instances.count({}, { signal: given.signal });
    const told = store.leases.list({ signal: given.signal });
    await new Promise((resolve) => setImmediate(resolve));
    given.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(told).rejects.toMatchObject({ code: 'ABORTED' });
    const startMs = performance.now();
    await store.close();
    expect(performance.now() - startMs).toBeLessThan(8_000);
    await eventually('every connection to end', async () => (proxy.connections() === 0 ? true : undefined));
  });

  it("gives no connection back to the host's pool that a call was given up on", async () => {
    const proxy = await freezableProxy(postgres().url);
    onTestFinished(() => proxy.close());
    const pool = poolAt(proxy.url, 2);
    onTestFinished(() => pool.end());
    const store = await opened({ pool, direct: postgres().url });
    await Promise.all([store.instances.count({}), store.events.head()]);
    expect(pool.idleCount).toBe(2);
    proxy.freeze();
    const given = new AbortController();
    const calls = [
      store.instances.count({}, given),
      store.transaction((writer) => writer.createInstance(instance(), { events: [] }), given),
    ];
    const ended = Promise.allSettled(calls);
    await eventually('both clients to be lent', async () => (pool.idleCount === 0 ? true : undefined));
    given.abort();
    for (const result of await ended)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    await eventually('both connections to end', async () => (proxy.connections() === 0 ? true : undefined));
    proxy.thaw();
    expect(await store.instances.count({})).toBe(0);
  });

  it("lets go of what is under way on the host's pool when it is closed", async () => {
    const proxy = await freezableProxy(postgres().url);
    const pool = poolAt(proxy.url, 2);
    onTestFinished(async () => {
      proxy.close();
      await pool.end();
    });
    const store = await opened({ pool });
    await store.instances.count({});
    proxy.freeze();
    const asked = store.instances.count({});
    asked.catch(() => undefined);
    const waiting = Array.from({ length: 3 }, () => store.events.head().catch((error: unknown) => error));
    await store.close();
    await expect(asked).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ALREADY_STOPPED' });
    // The pool is the host's, and so is what it is still connecting.
    await eventually('the store to have let go', async () => (pool.idleCount === 0 ? true : undefined));
  });

  it('ends what it was connecting', async () => {
    const proxy = await freezableProxy(postgres().url);
    onTestFinished(() => proxy.close());
    const store = await opened({ connectionString: proxy.url });
    proxy.freeze();
    const asked = Array.from({ length: 3 }, () => store.instances.count({}).catch(() => undefined));
    await eventually('connections', async () => (proxy.connections() > 2 ? true : undefined));
    await store.close();
    await Promise.all(asked);
    await eventually('every connection to end', async () => (proxy.connections() === 0 ? true : undefined));
  });

  it('is noticed by whoever only listens: news are looked for until they are heard again', async () => {
    const proxy = await freezableProxy(postgres().url);
    onTestFinished(() => proxy.close());
    const store = await opened({ direct: proxy.url });
    const heard: string[] = [];
    const said: string[] = [];
    store.watch?.(
      (news) => heard.push(news),
      (part, ok) => {
        if (said.at(-1) !== `${part} ${String(ok)}`) said.push(`${part} ${String(ok)}`);
      },
    );
    await eventually('to listen', async () => (said.length > 0 ? true : undefined));
    expect(said).toEqual(['news true']);
    proxy.freeze();
    await eventually('the silence to be noticed', async () => (said.length > 1 ? true : undefined));
    heard.length = 0;
    await eventually('news to be looked for', async () => (heard.length > 0 ? true : undefined));
    proxy.thaw();
    await eventually('news to be heard again', async () => (said.length > 2 ? true : undefined));
    expect(said).toEqual(['news true', 'news false', 'news true']);
  });
});
