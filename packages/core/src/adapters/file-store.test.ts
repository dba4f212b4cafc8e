import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleEvent, exampleInstance, exampleServer } from '../../test/support/rows.js';
import { processIdentity, type Store } from '../plugin.js';
import { memoryStore, type MemoryStoreOptions } from './memory-store.js';

const silent = { events: [] };
let directory: string;
let file: string;
const stores: Store[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpinfra-store-'));
  file = join(directory, 'store.json');
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rm(directory, { recursive: true, force: true });
});

async function opened(options: MemoryStoreOptions = {}): Promise<Store> {
  const store = memoryStore({ file, ...options });
  await store.open();
  stores.push(store);
  return store;
}

let dead: Promise<string> | undefined;
function deadProcess(): Promise<string> {
  return (dead ??= endProcess());
}

async function endProcess(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return JSON.stringify({ ...(await processIdentity()), pid: child.pid, startTime: 1 });
}

async function everything(store: Store) {
  return {
    servers: await store.servers.list({ limit: 99 }),
    instances: await store.instances.list({ limit: 99 }),
    events: await store.events.read({ after: 1, limit: 99 }),
    head: await store.events.head(),
    cursor: await store.events.cursor('g'),
    counter: await store.counters.get('instances'),
  };
}

describe('a store in a file', () => {
  it('is what it was when it is opened again', async () => {
    const store = memoryStore({ file, eventRetention: 2 });
    const identity = await store.open();
    expect(identity).toMatchObject({
      durable: true,
      fleet: expect.stringMatching(/^fleet-[0-9a-f]{12}$/) as string,
    });
    const server = await store.createServer(exampleServer(), { events: [exampleEvent()] });
    const counters = [{ name: 'instances', by: 1, max: 5 }];
    const row = await store.createInstance(exampleInstance({ serverSpecId: server.id }), {
      events: [exampleEvent(), exampleEvent()],
      counters,
    });
    const [lease] = await store.leases.acquire(['w', 'x'], { id: 'a', ttlMs: 60_000 });
    await store.updateInstance(row, { events: [], fence: lease?.epoch });
    await store.events.number(3);
    await store.appendEvents([exampleEvent({ id: 'not yet numbered' })]);
    await store.events.saveCursor('g', 2);
    const before = await everything(store);
    await store.close();

    const again = memoryStore({ file });
    stores.push(again);
    expect(await again.open()).toEqual(identity);
    expect(await everything(again)).toEqual(before);
    await expect(again.events.read({ after: 0, limit: 9 })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(await again.events.number(9)).toMatchObject([{ id: 'not yet numbered', position: 4 }]);
    expect(await again.leases.acquire(['x'], { id: 'b', ttlMs: 1 })).toMatchObject([{ epoch: 3 }]);
    await expect(again.createServer(exampleServer(), silent)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it('is JSON in the form of the wire, and has each change when its call resolves', async () => {
    const store = await opened({ fleet: 'blue' });
    const { id } = await store.createInstance(exampleInstance(), silent);
    const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    expect(json).toMatchObject({
      format_version: 1,
      fleet: 'blue',
      instances: [{ id, resource_version: 1, json_spec: { type: 'docker' }, runtime: { lease_epoch: 0 } }],
    });
  });

  it('makes the directories on the way', async () => {
    file = join(directory, 'a', 'b', 'store.json');
    await opened();
    expect(await readdir(join(directory, 'a', 'b'))).toEqual(['store.json', 'store.json.lock']);
  });

  it('follows a symbolic link instead of replacing it', async () => {
    const target = join(directory, 'target.json');
    await opened().then((store) => store.close());
    await rename(file, target);
    await symlink(target, file);
    const store = await opened();
    await store.createServer(exampleServer({ name: 'linked' }), silent);
    expect(await readFile(target, 'utf8')).toContain('linked');
  });

  it('leaves nothing of a transaction that was rolled back', async () => {
    const store = await opened();
    await store.createServer(exampleServer(), silent);
    const before = await readFile(file, 'utf8');
    const work = store.transaction(async (writer) => {
      await writer.createServer(exampleServer({ name: 'b' }), silent);
      throw new RangeError('no');
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('refuses a row that it could not read again, and stays usable', async () => {
    const store = await opened();
    const creating = store.createServer(exampleServer({ id: 'short' }), silent);
    await expect(creating).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('/id') as string,
    });
    await store.createServer(exampleServer(), silent);
    expect((await store.servers.list({ limit: 9 })).items).toHaveLength(1);
  });

  it('refuses another fleet than its own', async () => {
    await (await opened({ fleet: 'blue' })).close();
    await expect(opened({ fleet: 'green' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await (await opened({ fleet: 'blue' })).events.head()).toBe(0);
  });
});

describe('a writing that fails', () => {
  it('changes nothing, and the store goes on when the cause is gone', async () => {
    const store = await opened();
    const kept = await store.createServer(exampleServer(), silent);
    await rename(directory, `${directory}-away`);
    const failing = await Promise.allSettled([
      store.createServer(exampleServer({ name: 'b' }), { events: [exampleEvent()] }),
      store.updateServer({ ...kept, description: 'lost' }, silent),
      store.transaction((writer) => writer.deleteServer(kept.id, silent)),
    ]);
    for (const one of failing)
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FAILED' } });
    expect((await store.servers.list({ limit: 9 })).items).toEqual([kept]);
    await rename(`${directory}-away`, directory);
    await store.updateServer({ ...kept, description: 'new' }, silent);
    await store.createServer(exampleServer({ name: 'b' }), silent);
    expect(await store.events.number(9)).toEqual([]);
    expect(await readdir(directory)).toEqual(['store.json', 'store.json.lock']);
  });
});

describe('a file that cannot be used', () => {
  async function whole(): Promise<string> {
    const store = await opened();
    await store.createServer(exampleServer(), { events: [exampleEvent()] });
    await store.close();
    return readFile(file, 'utf8');
  }

  it('is left untouched wherever it is cut off', async () => {
    const text = await whole();
    for (let length = 0; length < text.length - 1; length += 97) {
      await writeFile(file, text.slice(0, length));
      await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { file } });
      expect(await readFile(file, 'utf8')).toBe(text.slice(0, length));
    }
    expect(await readdir(directory)).toEqual(['store.json']);
  });

  it('is told apart by what is wrong with it', async () => {
    const text = await whole();
    const json = () =>
      JSON.parse(text) as { format_version: number; servers: Record<string, unknown>[]; events: unknown[] };
    const faults: [string, object][] = [
      ['STORE_VERSION', { ...json(), format_version: 2 }],
      ['STORE_CORRUPT', { ...json(), format_version: 'x' }],
      ['STORE_CORRUPT', []],
      ['STORE_CORRUPT', { ...json(), servers: [{ ...json().servers[0], status: 'odd' }] }],
      ['STORE_CORRUPT', { ...json(), servers: [json().servers[0], json().servers[0]] }],
      ['STORE_CORRUPT', { ...json(), events: [] }],
      ['STORE_CORRUPT', { ...json(), events: [...json().events, ...json().events] }],
    ];
    for (const [code, fault] of faults) {
      await writeFile(file, JSON.stringify(fault));
      await expect(opened()).rejects.toMatchObject({
        code,
        message: expect.stringContaining(file) as string,
      });
    }
  });

  it('says why it could not be opened', async () => {
    await mkdir(file);
    await expect(opened()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(file) as string,
    });
  });
});

describe('the lock', () => {
  it('keeps a second store away until the first is closed', async () => {
    const store = await opened();
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_LOCKED', details: { pid: process.pid } });
    await store.close();
    expect(await readdir(directory)).toEqual(['store.json']);
    await opened();
  });

  it('of a dead process is taken over by exactly one, and what it left half-written is removed', async () => {
    for (let round = 0; round < 10; round += 1) {
      await writeFile(`${file}.lock`, await deadProcess());
      if (round % 2 === 0) await writeFile(`${file}.lock.takeover`, await deadProcess());
      await writeFile(`${file}.999-abcd.tmp`, '{');
      const asked = await Promise.allSettled(Array.from({ length: 8 }, () => opened()));
      expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      for (const one of asked) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'STORE_LOCKED' });
      }
      expect(await readdir(directory)).toEqual(['store.json', 'store.json.lock']);
      await Promise.all(stores.splice(0).map((store) => store.close()));
    }
  });

  it('that says nothing of its owner is respected', async () => {
    await writeFile(`${file}.lock`, '');
    await expect(opened()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { lock: `${file}.lock`, pid: null },
    });
  });

  it('of another machine is respected', async () => {
    await writeFile(`${file}.lock`, JSON.stringify({ machineId: 'x', bootId: 'y', pid: 1, startTime: 1 }));
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('that somebody else has taken meanwhile is left to them', async () => {
    const store = await opened();
    await writeFile(`${file}.lock`, 'theirs');
    await store.close();
    expect(await readFile(`${file}.lock`, 'utf8')).toBe('theirs');
  });
});
