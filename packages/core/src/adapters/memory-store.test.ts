import { describe, expect, it } from 'vitest';
import { exampleEvent, exampleInstance, exampleRuntime, exampleServer } from '../../test/support/rows.js';
import type { Clock, InstanceRecord, Store, StoreNews, StoreWriter } from '../plugin.js';
import { parseEphemeralFleet } from '../plugin.js';
import { memoryStore, type MemoryStoreOptions } from './memory-store.js';

const silent = { events: [] };

async function opened(options?: MemoryStoreOptions): Promise<Store> {
  const store = memoryStore(options);
  await store.open();
  return store;
}

/** The fence of a lease of a second. */
async function fenceOf(store: Store, name: string): Promise<number> {
  const [lease] = await store.leases.acquire([name], { id: 'a', ttlMs: 1000 });
  return lease?.epoch ?? 0;
}

function manualClock(): Pick<Clock, 'now' | 'monotonicMs'> & { advance(ms: number): void } {
  let ms = 1_000;
  return { now: () => 1_700_000_000_000 + ms, monotonicMs: () => ms, advance: (by) => (ms += by) };
}

describe('memoryStore', () => {
  it('names a fleet after the process that owns it', async () => {
    const identity = await memoryStore().open();
    expect(parseEphemeralFleet(identity.fleet)?.pid).toBe(process.pid);
    expect(identity.durable).toBe(false);
    expect(identity.storeId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes the fleet that the host gives', async () => {
    expect((await memoryStore({ fleet: 'blue' }).open()).fleet).toBe('blue');
  });

  it('refuses options it does not know and values it cannot use', () => {
    expect(() => memoryStore({ flet: 'x' } as never)).toThrow(/no option "flet"/);
    expect(() => memoryStore({ fleet: 'a b' })).toThrow(/"a b"/);
    expect(() => memoryStore({ eventRetention: 0 })).toThrow(/eventRetention/);
  });

  it('tells the time by its clock', async () => {
    const store = await opened({ clock: manualClock() });
    expect(await store.now()).toBe('2023-11-14T22:13:21.000Z');
  });

  it('refuses work before open and after close', async () => {
    const store = memoryStore();
    await expect(store.servers.get('x')).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await store.open();
    await store.close();
    await store.close();
    await expect(store.createServer(exampleServer(), silent)).rejects.toMatchObject({
      code: 'ALREADY_STOPPED',
    });
  });

  it('refuses a call whose signal is aborted', async () => {
    const store = await opened();
    const options = { signal: AbortSignal.abort() };
    await expect(store.createServer(exampleServer(), silent, options)).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect((await store.servers.list({ limit: 1 })).items).toEqual([]);
  });
});

describe('rows', () => {
  it('are kept apart from the objects of the caller, in both directions', async () => {
    const store = await opened();
    const labels: Record<string, string> = { a: '1' };
    const given = exampleInstance({ labels });
    const created = await store.createInstance(given, silent);
    labels['a'] = '2';
    expect((await store.instances.get(given.id))?.labels).toEqual({ a: '1' });
    expect(() => ((created.labels as Record<string, string>)['a'] = '3')).toThrow(TypeError);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('are taken as they were when the call was made, not when its turn came', async () => {
    const store = await opened();
    const labels: Record<string, string> = { a: '1' };
    const given = exampleInstance({ labels });
    const blocking = store.transaction(async () => Promise.resolve());
    const creating = store.createInstance(given, silent);
    labels['a'] = '2';
    await blocking;
    expect((await creating).labels).toEqual({ a: '1' });
  });

  it('start at resourceVersion 1 and are replaced by compare-and-set', async () => {
    const store = await opened();
    const created = await store.createServer(exampleServer({ resourceVersion: 0 }), silent);
    expect(created.resourceVersion).toBe(1);
    const updated = await store.updateServer({ ...created, description: 'new' }, silent);
    expect(updated).toEqual({ ...created, description: 'new', resourceVersion: 2 });
    await expect(store.updateServer(created, silent)).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { given: 1, current: 2 },
    });
    await store.deleteServer(created.id, silent);
    await store.deleteServer(created.id, silent);
    await expect(store.updateServer(updated, silent)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('are unique: servers by tenant, name and version, instances by tenant and name', async () => {
    const store = await opened();
    const server = await store.createServer(exampleServer(), silent);
    const taken = { code: 'ALREADY_EXISTS' };
    await expect(
      store.createServer(exampleServer({ id: server.id, name: 'x' }), silent),
    ).rejects.toMatchObject(taken);
    await expect(store.createServer(exampleServer(), silent)).rejects.toMatchObject(taken);
    await store.createServer(exampleServer({ version: '2.0.0' }), silent);
    await store.createServer(exampleServer({ tenant: 'b' }), silent);
    const instance = await store.createInstance(exampleInstance({ name: 'fs-1' }), silent);
    await expect(store.createInstance(exampleInstance({ name: 'fs-1' }), silent)).rejects.toMatchObject(
      taken,
    );
    await expect(store.createInstance({ ...instance, name: 'x' }, silent)).rejects.toMatchObject(taken);
    const other = await store.createInstance(exampleInstance({ name: 'fs-1', tenant: 'b' }), silent);
    await expect(store.updateInstance({ ...other, tenant: '' }, silent)).rejects.toMatchObject(taken);
    await store.updateInstance({ ...instance, name: 'fs-2' }, silent);
    await store.createInstance(exampleInstance({ name: 'fs-1' }), silent);
  });

  it('refuse a writer whose lease is older than that of the last one', async () => {
    const store = await opened();
    const older = await fenceOf(store, 'x');
    const newer = await fenceOf(store, 'y');
    const created = await store.createInstance(exampleInstance(), silent);
    const second = await store.updateInstance(created, { events: [], fence: newer });
    expect(second.runtime.leaseEpoch).toBe(newer);
    const lost = { code: 'LEASE_LOST' };
    await expect(store.updateInstance(second, { events: [], fence: older })).rejects.toMatchObject(lost);
    await expect(store.deleteInstance(second, { events: [], fence: older })).rejects.toMatchObject(lost);
    const byCommand = await store.updateInstance(second, silent);
    await store.deleteInstance(byCommand, { events: [], fence: newer });
    await store.deleteInstance(byCommand, { events: [], fence: newer });
  });

  it('refuse a writer whose lease has run out, was given back or was never given', async () => {
    const clock = manualClock();
    const store = await opened({ clock });
    const row = await store.createInstance(exampleInstance(), silent);
    const stale = { ...row, resourceVersion: 7 };
    const lost = { code: 'LEASE_LOST' };
    const expired = await fenceOf(store, 'x');
    clock.advance(1000);
    const released = await fenceOf(store, 'y');
    await store.leases.release(['y'], 'a');
    for (const fence of [expired, released, 99]) {
      const effects = { events: [exampleEvent()], fence };
      await expect(store.updateInstance(row, effects)).rejects.toMatchObject(lost);
      await expect(store.updateInstance(stale, effects)).rejects.toMatchObject(lost);
      await expect(store.deleteInstance(row, effects)).rejects.toMatchObject(lost);
      await expect(store.appendEvents([exampleEvent()], { fence })).rejects.toMatchObject(lost);
      const inside = store.transaction((writer) => writer.updateInstance(row, effects));
      await expect(inside).rejects.toMatchObject(lost);
    }
    expect(await store.instances.get(row.id)).toEqual(row);
    expect(await store.events.number(9)).toEqual([]);
  });

  it('can be written again under the epoch of a lease that its holder took anew', async () => {
    const clock = manualClock();
    const store = await opened({ clock });
    const row = await store.createInstance(exampleInstance(), silent);
    const fence = await fenceOf(store, 'x');
    clock.advance(1000);
    expect(await fenceOf(store, 'x')).toBe(fence);
    await store.updateInstance(row, { events: [], fence });
    await store.appendEvents([exampleEvent()], { fence });
    expect(await store.events.number(9)).toHaveLength(1);
  });

  it('are written under no lease that was taken over meanwhile', async () => {
    const clock = manualClock();
    const store = await opened({ clock });
    const row = await store.createInstance(exampleInstance(), silent);
    const fence = await fenceOf(store, 'x');
    let taking: Promise<unknown> | undefined;
    await store.transaction(async (writer) => {
      await writer.updateInstance(row, { events: [], fence });
      clock.advance(1000);
      taking = store.leases.acquire(['x'], { id: 'b', ttlMs: 1000 });
      expect(await store.leases.list()).toEqual([]);
    });
    expect(await taking).toMatchObject([{ holderId: 'b', epoch: fence + 1 }]);
  });

  it('refuse to be deleted at another version', async () => {
    const store = await opened();
    const created = await store.createInstance(exampleInstance(), silent);
    await store.updateInstance(created, silent);
    await expect(store.deleteInstance(created, silent)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('hold plain data only', async () => {
    const store = await opened();
    const given = exampleServer({ jsonSpec: { when: new Date(0) } });
    await expect(store.createServer(given, silent)).rejects.toThrow(/plain data, not a Date/);
  });
});

describe('lists', () => {
  it('give every row once over pages, in the order of creation, also while rows come and go', async () => {
    const store = await opened();
    const rows: InstanceRecord[] = [];
    for (let n = 0; n < 25; n += 1) {
      const createdAt = new Date(1_700_000_000_000 + (n % 5)).toISOString();
      rows.push(await store.createInstance(exampleInstance({ createdAt }), silent));
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.instances.list({ limit: 4, cursor });
      seen.push(...page.items.map((row) => row.id));
      const last = page.items.at(-1);
      if (last) await store.deleteInstance(last, silent);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const sorted = rows.toSorted((a, b) => (`${a.createdAt}${a.id}` < `${b.createdAt}${b.id}` ? -1 : 1));
    expect(seen).toEqual(sorted.map((row) => row.id));
  });

  it('refuse cursors they did not give and limits below 1', async () => {
    const store = await opened();
    const wrong = { code: 'INVALID_ARGUMENT' };
    for (const cursor of ['x', '', Buffer.from('[1]').toString('base64url')]) {
      await expect(store.instances.list({ limit: 1, cursor })).rejects.toMatchObject(wrong);
    }
    await expect(store.servers.list({ limit: 0 })).rejects.toMatchObject(wrong);
  });

  it('show a tenant its own servers and the public ones of others', async () => {
    const store = await opened();
    await store.createServer(exampleServer({ name: 'mine', tenant: 'a', isPublic: false }), silent);
    await store.createServer(exampleServer({ name: 'theirs', tenant: 'b', isPublic: false }), silent);
    await store.createServer(exampleServer({ name: 'public', tenant: 'b' }), silent);
    const { items } = await store.servers.list({ tenant: 'a', limit: 9 });
    expect(items.map((server) => server.name).sort()).toEqual(['mine', 'public']);
  });

  it('restrict by everything that a query can name', async () => {
    const store = await opened();
    const server = await store.createServer(exampleServer({ tags: ['x', 'y'] }), silent);
    await store.createServer(exampleServer({ name: 'other', status: 'draft', labels: {} }), silent);
    const hit = await store.createInstance(
      exampleInstance({
        tenant: 'a',
        name: 'hit',
        serverSpecId: server.id,
        status: 'running',
        labels: { a: '1', b: '2' },
        jsonSpec: { type: 'url' },
      }),
      silent,
    );
    await store.createInstance(exampleInstance({ desiredState: 'stopped' }), silent);
    const queries = [
      { tenant: 'a' },
      { name: 'hit' },
      { tenant: 'a', name: 'hit' },
      { slug: hit.slug },
      { labels: { a: '1', b: '2' } },
      { tags: ['y', 'x'] },
      { status: ['running', 'failed'] as const },
      { desiredState: 'running' as const },
      { type: 'url' },
      { serverSpecId: server.id },
    ];
    for (const query of queries) {
      expect((await store.instances.list({ ...query, limit: 9 })).items).toEqual([hit]);
      expect(await store.instances.count(query)).toBe(1);
    }
    expect(await store.instances.count({ slug: 'no' })).toBe(0);
    expect(await store.instances.count({ slug: hit.slug, tenant: 'b' })).toBe(0);
    for (const query of [
      { name: 'filesystem' },
      { tags: ['x'] },
      { status: ['active'] as const },
      { labels: { team: 'a' } },
    ]) {
      expect((await store.servers.list({ ...query, version: '1.0.0', limit: 9 })).items).toEqual([server]);
    }
  });
});

describe('counters', () => {
  it('admit exactly as many as the limit, however many ask at once', async () => {
    const store = await opened();
    const counters = [{ name: 'instances', by: 1, max: 5 }];
    const asked = await Promise.allSettled(
      Array.from({ length: 1000 }, () => store.createInstance(exampleInstance(), { events: [], counters })),
    );
    expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(5);
    expect(asked.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await store.counters.get('instances')).toBe(5);
    expect(await store.instances.count({})).toBe(5);
  });

  it('change not at all when a later one of the same write is at its limit', async () => {
    const store = await opened();
    const counters = [
      { name: 'instances', by: 1 },
      { name: 'instances/a', by: 1, max: 0 },
    ];
    const creating = store.createInstance(exampleInstance({ tenant: 'a' }), {
      events: [exampleEvent()],
      counters,
    });
    await expect(creating).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { counter: 'instances/a' },
    });
    expect(await store.counters.get('instances')).toBe(0);
    expect(await store.instances.count({})).toBe(0);
    expect(await store.events.number(9)).toEqual([]);
  });

  it('are repaired and reported by a recount', async () => {
    const store = await opened();
    await store.createInstance(exampleInstance({ tenant: 'a' }), {
      events: [],
      counters: [{ name: 'instances', by: 3 }],
    });
    expect(await store.counters.recount()).toEqual([
      { name: 'instances', was: 3, is: 1 },
      { name: 'instances/a', was: 0, is: 1 },
    ]);
    expect(await store.counters.recount()).toEqual([]);
    expect(await store.counters.get('instances/a')).toBe(1);
  });
});

describe('transactions', () => {
  it('become visible as a whole', async () => {
    const store = await opened();
    const instance = exampleInstance();
    await store.transaction(async (writer) => {
      const created = await writer.createInstance(instance, { events: [exampleEvent()] });
      await writer.updateInstance({ ...created, description: 'seen' }, silent);
      expect(await store.instances.get(instance.id)).toBeNull();
    });
    expect(await store.instances.get(instance.id)).toMatchObject({ description: 'seen', resourceVersion: 2 });
  });

  it('leave nothing when the work rejects', async () => {
    const store = await opened();
    const kept = await store.createServer(exampleServer(), silent);
    const work = async (writer: StoreWriter) => {
      await writer.deleteServer(kept.id, { events: [exampleEvent()] });
      await writer.createServer(exampleServer(), { events: [], counters: [{ name: 'instances', by: 1 }] });
      throw new RangeError('no');
    };
    await expect(store.transaction(work)).rejects.toThrow(RangeError);
    expect((await store.servers.list({ limit: 9 })).items).toEqual([kept]);
    expect(await store.counters.get('instances')).toBe(0);
    expect(await store.events.number(9)).toEqual([]);
    await expect(store.createServer(exampleServer(), silent)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it('go on after a write that was refused, without its effects', async () => {
    const store = await opened();
    const server = exampleServer();
    await store.transaction(async (writer) => {
      await writer.createServer(server, { events: [exampleEvent()] });
      const counters = [{ name: 'c', by: 1, max: 0 }];
      await writer
        .createServer(exampleServer({ name: 'b' }), { events: [exampleEvent()], counters })
        .catch(() => null);
    });
    expect((await store.servers.list({ limit: 9 })).items.map((row) => row.id)).toEqual([server.id]);
    expect(await store.events.number(9)).toHaveLength(1);
  });

  it('run one after the other', async () => {
    const store = await opened();
    const { id } = await store.createInstance(exampleInstance({ generation: 0 }), silent);
    const raise = () =>
      store.transaction(async (writer) => {
        const row = (await store.instances.get(id))!;
        await Promise.resolve();
        await writer.updateInstance({ ...row, generation: row.generation + 1 }, silent);
      });
    await Promise.all(Array.from({ length: 50 }, raise));
    expect(await store.instances.get(id)).toMatchObject({ generation: 50, resourceVersion: 51 });
  });

  it('end with their signal and let the next one run, though the work never ends', async () => {
    const store = await opened();
    const aborting = new AbortController();
    let late: StoreWriter | undefined;
    const hanging = store.transaction(
      async (writer) => {
        late = writer;
        await writer.createServer(exampleServer(), silent);
        await new Promise(() => undefined);
      },
      { signal: aborting.signal },
    );
    const waiting = store.createServer(exampleServer({ name: 'next' }), silent);
    const leaving = store.createServer(exampleServer({ name: 'left' }), silent, { signal: aborting.signal });
    await Promise.resolve();
    aborting.abort();
    await expect(hanging).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(leaving).rejects.toMatchObject({ code: 'ABORTED' });
    await waiting;
    expect((await store.servers.list({ limit: 9 })).items.map((row) => row.name)).toEqual(['next']);
    await expect(late?.createServer(exampleServer(), silent)).rejects.toThrow(/after its end/);
  });
});

describe('the event log', () => {
  it('numbers what was committed in the order of commits and shows only what is numbered', async () => {
    const store = await opened();
    const created = await store.createServer(exampleServer(), { events: [exampleEvent({ id: 'a' })] });
    await store.updateServer(created, { events: [exampleEvent({ id: 'b' })] });
    await store.appendEvents([exampleEvent({ id: 'c' })]);
    expect(await store.events.read({ after: 0, limit: 9 })).toEqual([]);
    expect(await store.events.head()).toBe(0);
    expect(await store.events.number(2)).toMatchObject([
      { id: 'a', position: 1, resourceVersion: 1 },
      { id: 'b', position: 2, resourceVersion: 2 },
    ]);
    expect(await store.events.head()).toBe(2);
    expect(await store.events.number(2)).toMatchObject([{ id: 'c', position: 3, resourceVersion: 0 }]);
    expect(await store.events.number(2)).toEqual([]);
    expect(await store.events.read({ after: 1, limit: 9 })).toMatchObject([{ id: 'b' }, { id: 'c' }]);
    expect(await store.events.read({ after: 1, limit: 1 })).toMatchObject([{ id: 'b' }]);
    expect(await store.events.read({ after: 7, limit: 1 })).toEqual([]);
  });

  it('gives the news of a delete a newer version than that of the last update', async () => {
    const store = await opened();
    const row = await store.createInstance(exampleInstance(), silent);
    await store.deleteInstance(row, { events: [exampleEvent()] });
    await store.deleteInstance(row, { events: [exampleEvent()] });
    expect(await store.events.number(9)).toMatchObject([{ resourceVersion: 2 }]);
  });

  it('restricts by tenant, type and subject', async () => {
    const store = await opened();
    await store.appendEvents([
      exampleEvent({ id: 'a', tenant: 't' }),
      exampleEvent({ id: 'b', subject: 's' }),
      {
        ...exampleEvent({ id: 'c' }),
        type: 'FleetDegraded',
        data: { part: 'x', reason: 'STORE_FAILED', message: '' },
      },
    ]);
    await store.events.number(9);
    const ids = async (query: object) =>
      (await store.events.read({ after: 0, limit: 9, ...query })).map((e) => e.id);
    expect(await ids({ tenant: 't' })).toEqual(['a']);
    expect(await ids({ subject: 's' })).toEqual(['b']);
    expect(await ids({ types: ['FleetDegraded'] })).toEqual(['c']);
  });

  it('keeps as many numbered events as its retention, and tells a reader what it missed', async () => {
    const store = await opened({ eventRetention: 3 });
    await store.appendEvents(Array.from({ length: 10 }, () => exampleEvent()));
    await store.events.number(5);
    await expect(store.events.read({ after: 1, limit: 9 })).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
      details: { after: 1, oldest: 3, head: 5 },
    });
    expect(await store.events.read({ after: 2, limit: 9 })).toHaveLength(3);
    expect(await store.events.number(9)).toHaveLength(5);
  });

  it('removes what is older than a point in time, never what is not yet numbered', async () => {
    const store = await opened();
    await store.appendEvents([
      exampleEvent({ time: '2026-01-01T00:00:00.000Z' }),
      exampleEvent({ time: '2026-01-02T00:00:00.000Z' }),
      exampleEvent({ time: '2026-01-03T00:00:00.000Z' }),
    ]);
    await store.events.number(1);
    expect(await store.events.trim('2026-01-03T00:00:00.000Z')).toBe(1);
    expect(await store.events.number(9)).toHaveLength(2);
    expect(await store.events.trim('2026-01-03T00:00:00.000Z')).toBe(1);
    expect(await store.events.head()).toBe(3);
  });

  it('keeps the highest cursor of each group', async () => {
    const store = await opened();
    expect(await store.events.cursor('g')).toBeNull();
    await store.events.saveCursor('g', 0);
    expect(await store.events.cursor('g')).toBe(0);
    await store.events.saveCursor('g', 5);
    await store.events.saveCursor('g', 3);
    expect(await store.events.cursor('g')).toBe(5);
  });

  it('tells those who watch what was committed and what was numbered, whatever they throw', async () => {
    const store = await opened();
    const heard: StoreNews[] = [];
    store.watch?.(() => {
      throw new RangeError('no');
    });
    const off = store.watch?.((news) => heard.push(news));
    await store.createServer(exampleServer(), silent);
    await store.events.number(9);
    expect(heard).toEqual([]);
    await store.appendEvents([exampleEvent(), exampleEvent()]);
    expect(heard).toEqual(['committed']);
    await store.events.number(9);
    expect(heard).toEqual(['committed', 'numbered']);
    off?.();
    off?.();
    await store.appendEvents([exampleEvent()]);
    expect(heard).toHaveLength(2);
  });
});

describe('leases', () => {
  const a = { id: 'a', ttlMs: 100, address: 'http://a' };
  const b = { id: 'b', ttlMs: 100 };

  it('belong to one holder until they expire, with a higher epoch for each new one', async () => {
    const clock = manualClock();
    const store = await opened({ clock });
    const [first] = await store.leases.acquire(['x'], a);
    expect(first).toEqual({
      name: 'x',
      holderId: 'a',
      epoch: 1,
      expiresAt: new Date(clock.now() + 100).toISOString(),
      address: 'http://a',
    });
    expect(await store.leases.acquire(['x'], b)).toEqual([]);
    expect(await store.leases.acquire(['x'], a)).toMatchObject([{ epoch: 1 }]);
    clock.advance(60);
    expect(await store.leases.renew(a)).toMatchObject([{ name: 'x' }]);
    clock.advance(60);
    expect(await store.leases.acquire(['x'], b)).toEqual([]);
    clock.advance(40);
    expect(await store.leases.renew(a)).toEqual([]);
    expect(await store.leases.list()).toEqual([]);
    expect(await store.leases.acquire(['x'], b)).toMatchObject([{ epoch: 2, address: null }]);
    expect(await store.leases.renew(a)).toEqual([]);
  });

  it('are given back by their holder only', async () => {
    const store = await opened();
    await store.leases.acquire(['x', 'y'], a);
    await store.leases.release(['x', 'y'], 'b');
    expect(await store.leases.list()).toHaveLength(2);
    await store.leases.release(['x', 'z'], 'a');
    expect(await store.leases.acquire(['x', 'y'], b)).toMatchObject([{ name: 'x', epoch: 3 }]);
  });

  it('are told of when one is given back that was still held', async () => {
    const clock = manualClock();
    const store = await opened({ clock });
    const heard: StoreNews[] = [];
    store.watch?.((news) => heard.push(news));
    await store.leases.acquire(['x', 'y'], a);
    await store.leases.release(['x'], 'b');
    expect(heard).toEqual([]);
    await store.leases.release(['x'], 'a');
    expect(heard).toEqual(['leases']);
    clock.advance(100);
    await store.leases.release(['y'], 'a');
    expect(heard).toEqual(['leases']);
  });
});

describe('size', () => {
  it('stays usable with 10,000 instances', async () => {
    const store = await opened();
    const runtime = exampleRuntime();
    for (let n = 0; n < 10_000; n += 1)
      await store.createInstance(exampleInstance({ runtime }), { events: [exampleEvent()] });
    const rows = (await store.instances.list({ limit: 10_000 })).items;
    for (const row of rows)
      await store.updateInstance({ ...row, status: 'running' }, { events: [exampleEvent()] });
    for (const row of rows) await store.instances.list({ slug: row.slug, limit: 1 });
    expect(await store.instances.count({ status: ['running'] })).toBe(10_000);
  }, 60_000);
});

it('refuses to be opened a second time while it is open, and goes on for whoever has it', async () => {
  const store = memoryStore();
  await store.open();
  await expect(store.open()).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    message: expect.stringContaining('another infra of this process has it') as string,
  });
  expect(await store.instances.list({ limit: 1 })).toEqual({ items: [], nextCursor: null });
});
