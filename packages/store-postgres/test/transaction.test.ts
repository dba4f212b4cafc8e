import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it } from 'vitest';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';
import { event, instance } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);

it('keeps nothing of writes that the work of a rejected transaction did not wait for', async () => {
  const pool = poolAt(postgres().url, 2);
  const store = postgresStore({ pool, schema: newSchema() });
  await store.open();
  const writes: Promise<unknown>[] = [];
  const failure = new Error('the work failed');
  const running = store.transaction(async (writer) => {
    const write = (): Promise<unknown> => writer.createInstance(instance(), { events: [event()] });
    const first = write();
    // One of these is under way when the work fails, the other has not begun.
    writes.push(
      write().catch(() => undefined),
      write().catch(() => undefined),
    );
    await first;
    throw failure;
  });
  await expect(running).rejects.toBe(failure);
  await Promise.all(writes);
  expect(await store.instances.count({})).toBe(0);
  expect(await store.events.number(10)).toEqual([]);
  await store.close();
  await pool.end();
});

it('never asks a connection for something while it is at work, however much is asked for at once', async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listener);
  const store = postgresStore({ connectionString: postgres().url, schema: newSchema() });
  await store.open();
  const off = store.watch?.(() => undefined);
  const holder = { id: 'a', ttlMs: 10_000 };
  await Promise.all(
    Array.from({ length: 20 }, async (_, nth) => {
      await store.leases.acquire([`lease-${nth}`], holder);
      await Promise.all([
        store.now(),
        store.leases.renew(holder),
        store.createInstance(instance(), { events: [event()] }),
        store.transaction(async (writer) => {
          await Promise.all([1, 2, 3].map(() => writer.createInstance(instance(), { events: [event()] })));
        }),
      ]);
    }),
  );
  off?.();
  await store.close();
  process.off('warning', listener);
  expect(warnings).toEqual([]);
}, 30_000);
