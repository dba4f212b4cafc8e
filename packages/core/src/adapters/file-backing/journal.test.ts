import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Layer } from '../memory-store/layer.js';
import { Journal } from './journal.js';
import { readStoreFile } from './read-store-file.js';
import { snapshotRecords } from './snapshot.js';

let directory: string;
let path: string;
const journals: Journal[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpinfra-journal-'));
  path = join(directory, 'store.json');
});

afterEach(async () => {
  await Promise.all(journals.splice(0).map((journal) => journal.close().catch(() => undefined)));
  await rm(directory, { recursive: true, force: true });
});

const parts = () => ({
  path,
  isHeld: async () => true,
  snapshot: () => snapshotRecords({ storeId: 's', fleet: 'f' }, new Layer()),
});

/** A journal in a real file, one of whose calls fails once when the test says so. */
async function failing(): Promise<{
  journal: Journal;
  fail: (call: 'write' | 'datasync' | 'truncate') => void;
}> {
  await (await Journal.create(parts())).close();
  const file = await open(path, 'r+');
  const { journal: place } = await readStoreFile(path, file);
  if (!place) throw new TypeError('the file is one of records');
  const faults = new Set<string | symbol>();
  const faulty = new Proxy(file, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (!faults.delete(key)) return (await Reflect.apply(value, target, args)) as unknown;
        // As a disk that is full or broken does it: some of it may be there.
        if (key === 'write') await target.write(args[0] as Buffer, args[1] as number, 30, args[3] as number);
        throw new Error(`EIO: ${String(key)}`);
      };
    },
  }) satisfies FileHandle;
  const journal = new Journal(parts(), { file: faulty, place });
  journals.push(journal);
  return { journal, fail: (call) => void faults.add(call) };
}

async function counters(): Promise<Record<string, number>> {
  const file = await open(path);
  try {
    return Object.fromEntries((await readStoreFile(path, file)).rows.counters.entries());
  } finally {
    await file.close();
  }
}

const count = (name: string) => ({ counters: { [name]: 1 } });

describe('Journal', () => {
  it.each(['write', 'datasync'] as const)('leaves nothing of a record whose %s failed', async (call) => {
    const { journal, fail } = await failing();
    await journal.append(count('a'));
    const before = await readFile(path);
    fail(call);
    await expect(journal.append(count('lost'))).rejects.toThrow(`EIO: ${call}`);
    expect(await readFile(path)).toEqual(before);
    await journal.append(count('b'));
    expect(await counters()).toEqual({ a: 1, b: 1 });
  });

  it('removes what it could not remove at once before it writes on', async () => {
    const { journal, fail } = await failing();
    fail('datasync');
    fail('truncate');
    await expect(journal.append(count('lost'))).rejects.toThrow('EIO');
    fail('truncate');
    await expect(journal.append(count('not yet'))).rejects.toThrow('EIO: truncate');
    await journal.append(count('b'));
    expect(await counters()).toEqual({ b: 1 });
  });
});
