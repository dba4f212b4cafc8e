import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@mcpinfra/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleServer } from './support/rows.js';

const silent = { events: [] };
const mayMount = process.platform === 'linux' && process.getuid?.() === 0;
let disk: string;

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'mcpinfra-full-'));
  if (mayMount) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
});

afterEach(async () => {
  if (mayMount) execFileSync('umount', ['--lazy', disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  for (const size of [4096, 1]) {
    for (;;) {
      const isFull = await appendFile(path, Buffer.alloc(size)).then(
        () => false,
        () => true,
      );
      if (isFull) break;
    }
  }
}

describe.runIf(mayMount)('a store in a file on a disk that is full', () => {
  it('tells who writes, keeps what it had, and goes on when there is room again', async () => {
    const file = join(disk, 'store.json');
    const store = memoryStore({ file });
    await store.open();
    const kept = await store.createServer(exampleServer({ name: 'kept' }), silent);
    await fill(join(disk, 'ballast'));
    const large = { ...kept, description: 'x'.repeat(50_000) };
    const writes = [
      store.updateServer(large, silent),
      store.createServer(exampleServer({ name: 'lost' }), silent),
      store.transaction((writer) => writer.deleteServer(kept.id, silent)),
    ];
    const read = store.servers.list({ limit: 9 });
    for (const one of await Promise.allSettled(writes))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FAILED' } });
    expect((await read).items).toEqual([kept]);

    await unlink(join(disk, 'ballast'));
    const changed = await store.updateServer({ ...kept, description: 'new' }, silent);
    await store.close();
    const again = memoryStore({ file });
    await again.open();
    expect((await again.servers.list({ limit: 9 })).items).toEqual([changed]);
    await again.close();
  });
});
