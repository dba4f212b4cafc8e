import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PGlite } from '@electric-sql/pglite';
import { pgliteStore } from '@mcpinfra/store-postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { event, instance } from './support/rows.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpinfra-pglite-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('keeps everything in a folder, which one at a time may use', async () => {
  const dataDir = join(folder, 'kept');
  const first = pgliteStore({ dataDir });
  const identity = await first.open();
  expect(identity.durable).toBe(true);
  const row = await first.createInstance(instance(), { events: [event()] });
  const second = pgliteStore({ dataDir });
  await expect(second.open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await second.close();
  await first.close();

  const again = pgliteStore({ dataDir });
  expect(await again.open()).toEqual(identity);
  expect(await again.instances.get(row.id)).toEqual(row);
  expect(await again.events.number(5)).toHaveLength(1);
  await again.close();
}, 120_000);

it('keeps what it committed when its process is killed', async () => {
  const dataDir = join(folder, 'killed');
  const program = join(import.meta.dirname, 'fixtures/embedded-host.mjs');
  const host = spawn(process.execPath, [program, dataDir, JSON.stringify(event())], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const committed: string[] = [];
  for await (const line of createInterface(host.stdout)) {
    committed.push(line);
    if (committed.length === 40) host.kill('SIGKILL');
  }
  const store = pgliteStore({ dataDir });
  await store.open();
  const kept = (await store.events.number(1_000)).map(({ id }) => id);
  // One more may have been committed than was said.
  expect(kept.slice(0, committed.length)).toEqual(committed);
  expect(kept.length - committed.length).toBeLessThanOrEqual(1);
  await store.close();
}, 120_000);

it('goes with the process where it has no folder, under a fleet that tells so', async () => {
  const pglite = await PGlite.create();
  const store = pgliteStore({ pglite });
  const { durable, fleet } = await store.open();
  expect(durable).toBe(false);
  expect(fleet).toContain(String(process.pid));
  await store.close();
  // The host's own goes on.
  expect((await pglite.query('select 1')).rows).toHaveLength(1);
  await pglite.close();
}, 60_000);

it('refuses options that it does not know or that exclude each other', () => {
  expect(() => pgliteStore({ datadir: 'x' } as never)).toThrow(/did you mean "dataDir"/);
  expect(() => pgliteStore({ dataDir: '' })).toThrow(/a text that is not empty/);
  expect(() => pgliteStore({ dataDir: 'x', pglite: {} as never })).toThrow(/either/);
});

it('voids the leases of the process before, which is dead when the folder can be opened', async () => {
  const dataDir = join(folder, 'leases');
  const first = pgliteStore({ dataDir });
  await first.open();
  const [held] = await first.leases.acquire(['reconcile/here/0'], { id: 'before', ttlMs: 600_000 });
  await first.close();

  const again = pgliteStore({ dataDir });
  await again.open();
  expect(await again.leases.list()).toEqual([]);
  const [taken] = await again.leases.acquire(['reconcile/here/0'], { id: 'after', ttlMs: 600_000 });
  expect(taken?.epoch).toBeGreaterThan(held?.epoch ?? Infinity);
  await again.close();
}, 120_000);
