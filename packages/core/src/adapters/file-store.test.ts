import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleEvent, exampleInstance, exampleServer } from '../../test/support/rows.js';
import type { Store } from '../plugin.js';
import { memoryStore, type MemoryStoreOptions } from './memory-store.js';

const silent = { events: [] };
const oldFile = new URL('../../test/fixtures/store-format-1.json', import.meta.url);
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

/** The files beside the store's, without the socket of whoever has it open. */
async function files(folder = directory): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.endsWith('.sock'));
}

/** The records of a file, without their checksums. */
async function records(): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
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

  it('is lines of JSON in the form of the wire, and has each change when its call resolves', async () => {
    const store = await opened({ fleet: 'blue' });
    const { id } = await store.createInstance(exampleInstance(), silent);
    const lines = await records();
    expect(lines[0]).toMatchObject({ seq: 0, format_version: 2, fleet: 'blue' });
    expect(lines.at(-1)).toMatchObject({
      instances: [{ id, resource_version: 1, json_spec: { type: 'docker' }, runtime: { lease_epoch: 0 } }],
    });
  });

  it('appends what a change changes, and writes nothing again', async () => {
    const store = await opened();
    const row = await store.createServer(exampleServer(), silent);
    for (let n = 0; n < 50; n += 1) await store.createServer(exampleServer({ name: `other-${n}` }), silent);
    const before = await readFile(file);
    await store.updateServer({ ...row, description: 'new' }, silent);
    const after = await readFile(file);
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    expect(after.length - before.length).toBeLessThan(2000);
  });

  it('writes commits that come together at once', async () => {
    const store = await opened();
    const before = (await records()).length;
    await Promise.all(Array.from({ length: 50 }, () => store.appendEvents([exampleEvent()])));
    expect((await records()).length - before).toBeLessThanOrEqual(2);
  });

  it('makes the directories on the way', async () => {
    file = join(directory, 'a', 'b', 'store.json');
    await opened();
    expect(await files(join(directory, 'a', 'b'))).toEqual(['store.json', 'store.json.lock']);
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

describe('the form that files had before', () => {
  const oldDocument = (): Promise<string> => readFile(oldFile, 'utf8');

  it('is read, and written anew in the form of today', async () => {
    await writeFile(file, await oldDocument());
    const store = await opened();
    expect(await everything(store)).toMatchObject({
      servers: { items: [{ name: 'files', resourceVersion: 1 }] },
      instances: { items: [{ name: 'kept', resourceVersion: 2 }] },
      events: [{ id: 'e-2', position: 2 }],
      head: 2,
      cursor: 2,
      counter: 1,
    });
    expect(await store.events.number(9)).toMatchObject([{ id: 'e-3', position: 3 }]);
    expect((await records())[0]).toMatchObject({ format_version: 2, fleet: 'blue' });
    const before = await everything(store);
    await store.close();
    expect(await everything(await opened())).toEqual(before);
  });

  it('is refused as a whole and left untouched when it is damaged', async () => {
    const text = await oldDocument();
    for (let length = 0; length < text.length - 1; length += 97) {
      await writeFile(file, text.slice(0, length));
      await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { file } });
      expect(await readFile(file, 'utf8')).toBe(text.slice(0, length));
    }
    expect(await readdir(directory)).toEqual(['store.json']);
  });

  it('is told apart by what is wrong with it', async () => {
    const text = await oldDocument();
    const json = () =>
      JSON.parse(text) as { format_version: number; servers: Record<string, unknown>[]; events: unknown[] };
    const faults: [string, object][] = [
      ['STORE_VERSION', { ...json(), format_version: 3 }],
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
});

describe('a file that was damaged', () => {
  /** A file whose snapshot has one server, and three commits after it. Gives its bytes and where each record begins. */
  async function whole(): Promise<{ bytes: Buffer; starts: number[] }> {
    await writeFile(file, await readFile(oldFile));
    const store = await opened();
    for (const name of ['a', 'b', 'c']) await store.createServer(exampleServer({ name }), silent);
    await store.close();
    const bytes = await readFile(file);
    const starts = [0];
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
    return { bytes, starts };
  }

  const namesOf = async (store: Store): Promise<string[]> =>
    (await store.servers.list({ limit: 99 })).items.map(({ name }) => name);

  it('keeps every commit before the one that a crash cut off, wherever it did', async () => {
    const { bytes, starts } = await whole();
    const [first = 0, second = 0, third = 0] = starts.slice(-4);
    for (let length = first; length < bytes.length; length += 53) {
      await writeFile(file, bytes.subarray(0, length));
      const store = await opened();
      const kept = ['files', 'a', 'b'].slice(0, 1 + Number(length >= second) + Number(length >= third));
      expect((await namesOf(store)).toSorted()).toEqual(kept.toSorted());
      // What is written next takes the place of what was cut off.
      await store.createServer(exampleServer({ name: 'next' }), silent);
      await store.close();
      const again = await opened();
      expect((await namesOf(again)).toSorted()).toEqual([...kept, 'next'].toSorted());
      await again.close();
    }
  });

  it('drops a last record whose bytes never reached the disk', async () => {
    const { bytes, starts } = await whole();
    const start = starts.at(-2) ?? 0;
    await writeFile(file, Buffer.concat([bytes.subarray(0, start + 20), Buffer.alloc(4096)]));
    expect(await namesOf(await opened())).toHaveLength(3);
  });

  it('is refused when it ends within its snapshot', async () => {
    const { bytes, starts } = await whole();
    const end = starts.at(-4) ?? 0;
    for (let length = 1; length < end; length += 61) {
      await writeFile(file, bytes.subarray(0, length));
      await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { file } });
      expect(await readFile(file)).toEqual(bytes.subarray(0, length));
    }
  });

  it('is refused with the place and a way out when a record in the middle is not what was written', async () => {
    const { bytes, starts } = await whole();
    for (const [index, start] of starts.slice(0, -1).entries()) {
      const damaged = Buffer.from(bytes);
      damaged[start + 40] = (damaged[start + 40] ?? 0) ^ 1;
      await writeFile(file, damaged);
      const inSnapshot = start < (starts.at(-4) ?? 0);
      const refusal = await opened().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(refusal, `record ${index}`).toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(`${file} is damaged at byte ${start}`) as string,
        details: { file, offset: start },
      });
      const says = String(refusal);
      expect(says.includes(`truncate -s ${start} ${file}`)).toBe(!inSnapshot);
      expect(await readFile(file)).toEqual(damaged);
    }
  });

  it('is refused when a record is missing or there twice', async () => {
    const { bytes, starts } = await whole();
    const [first = 0, second = 0, third = 0] = starts.slice(-4);
    const without = Buffer.concat([bytes.subarray(0, first), bytes.subarray(second)]);
    const twice = Buffer.concat([bytes.subarray(0, third), bytes.subarray(second)]);
    for (const [damaged, offset] of [[without, first] as const, [twice, third] as const]) {
      await writeFile(file, damaged);
      await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { file, offset } });
    }
  });

  it('is refused when a later version wrote it', async () => {
    const fields = '","seq":0,"format_version":3}\n';
    await writeFile(file, `{"sum":"${crc32(fields).toString(16).padStart(8, '0')}${fields}`);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_VERSION' });
  });

  it('says why it could not be opened', async () => {
    await mkdir(file);
    await expect(opened()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(file) as string,
    });
  });
});

describe('a file that has grown', () => {
  const big = (n: number) => exampleServer({ name: `s-${n}`, description: 'x'.repeat(20_000) });

  it('is written anew beside the commits, and has all of them', async () => {
    const store = await opened({ eventRetention: 5 });
    let row = await store.createServer(big(0), { events: [exampleEvent()] });
    const sizes: number[] = [];
    for (let n = 1; n <= 150; n += 1) {
      row = await store.updateServer({ ...row, labels: { n: `${n}` } }, { events: [exampleEvent()] });
      await store.events.number(9);
      sizes.push((await readFile(file)).length);
    }
    expect(Math.max(...sizes)).toBeLessThan(2_000_000);
    expect(sizes.some((size, n) => size < (sizes[n - 1] ?? 0))).toBe(true);
    const before = await everything(store).catch(() => undefined);
    const page = await store.servers.list({ limit: 9 });
    await store.close();
    expect(await files()).toEqual(['store.json']);
    const again = await opened();
    expect(await again.servers.list({ limit: 9 })).toEqual(page);
    expect(page.items).toEqual([row]);
    expect(await everything(again).catch(() => undefined)).toEqual(before);
    expect(await again.events.head()).toBe(151);
  });

  it('loses nothing when it is closed at any point of that', async () => {
    let kept = 0;
    for (let round = 0; round < 12; round += 1) {
      const store = await opened();
      expect(await store.instances.count({})).toBe(0);
      expect((await store.servers.list({ limit: 999 })).items).toHaveLength(kept);
      const adding = Array.from({ length: 20 }, (_, n) => store.createServer(big(kept + n), silent));
      await Promise.all(adding.slice(0, round + 1));
      await store.close();
      await Promise.all(adding);
      kept += 20;
    }
    expect(await files()).toEqual(['store.json']);
  });
});

describe('a file that is removed while it is in use', () => {
  it('is made anew with the next change', async () => {
    const store = await opened();
    await store.createServer(exampleServer({ name: 'before' }), silent);
    await unlink(file);
    await store.createServer(exampleServer({ name: 'after' }), silent);
    await store.close();
    const { items } = await (await opened()).servers.list({ limit: 9 });
    expect(items.map(({ name }) => name).toSorted()).toEqual(['after', 'before']);
  });

  it('goes on where its folder was moved to', async () => {
    const store = await opened();
    await rename(directory, `${directory}-moved`);
    await store.createServer(exampleServer({ name: 'moved' }), silent);
    await rename(`${directory}-moved`, directory);
    await store.close();
    expect((await (await opened()).servers.list({ limit: 9 })).items).toHaveLength(1);
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

  it('that was removed by hand ends the writing of its owner, who is told', async () => {
    const store = await opened();
    const row = await store.createServer(exampleServer(), silent);
    await unlink(`${file}.lock`);
    const second = await opened();
    await expect(store.updateServer({ ...row, description: 'lost' }, silent)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('stop this process') as string,
    });
    await second.updateServer({ ...row, description: 'kept' }, silent);
    await expect(store.createServer(exampleServer({ name: 'b' }), silent)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
    });
    await Promise.all(stores.splice(0).map((one) => one.close()));
    expect((await (await opened()).servers.list({ limit: 9 })).items).toMatchObject([
      { description: 'kept' },
    ]);
  });
});
