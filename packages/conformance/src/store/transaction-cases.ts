import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { StoreWriter } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import { within } from '../within.js';
import { exampleEvent, exampleInstance, exampleServer } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { outcomesOf, times } from './outcomes.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };
const counters = [{ name: 'instances', by: 1 }];

/** What several writes that are made as one do. */
export const transactionCases = [
  storeCase(
    'transactions/together',
    'The writes of a transaction become visible together, when it has ended.',
    async (store, bench) => {
      const other = await bench.beside();
      const server = exampleServer();
      const instance = exampleInstance();
      const seen: unknown[] = [];
      let reading: Promise<unknown> = Promise.resolve();
      const result = await store.transaction(async (writer) => {
        await writer.createServer(server, silent);
        await writer.createInstance(instance, { events: [exampleEvent({ id: 'a' })], counters });
        await writer.appendEvents([exampleEvent({ id: 'b' })]);
        reading = Promise.all([
          other.servers.get(server.id).then((row) => seen.push(row)),
          other.instances.get(instance.id).then((row) => seen.push(row)),
          other.counters.get('instances').then((count) => seen.push(count || null)),
        ]);
        // A store with one connection has readers wait until the transaction has ended.
        await Promise.race([reading, wait(250)]);
        assert.deepEqual(seen, Array(seen.length).fill(null), 'nothing is seen before the end');
        return 'result';
      });
      assert.equal(result, 'result', 'transaction() gives what the work gave');
      await reading;
      assert.deepEqual(await other.servers.get(server.id), server);
      assert.deepEqual(await other.instances.get(instance.id), instance);
      assert.equal(await other.counters.get('instances'), 1);
      assert.deepEqual(await loggedIds(other), ['a', 'b']);
    },
  ),
  storeCase(
    'transactions/see-themselves',
    'A write in a transaction builds on the ones before it.',
    async (store) => {
      const taken = await store.createServer(exampleServer({ name: 'n' }), silent);
      await store.transaction(async (writer) => {
        await writer.deleteServer(taken.id, silent);
        const created = await writer.createServer(exampleServer({ name: 'n' }), silent);
        const updated = await writer.updateServer({ ...created, description: 'b' }, silent);
        assert.equal(updated.resourceVersion, 2);
        await rejectsWith(['CONFLICT'], 'a second update of version 1', writer.updateServer(created, silent));
      });
      const { items } = await store.servers.list({ limit: 9 });
      assert.deepEqual(
        items.map((row) => [row.description, row.resourceVersion]),
        [['b', 2]],
      );
    },
  ),
  storeCase(
    'transactions/rollback',
    'When the work rejects, transaction() rejects with that very error and nothing stays: rows, events, counters.',
    async (store) => {
      const kept = await store.createServer(exampleServer(), silent);
      const instance = exampleInstance();
      const reason = new RangeError('the work says no');
      const working = store.transaction(async (writer) => {
        await writer.deleteServer(kept.id, { events: [exampleEvent()] });
        await writer.createInstance(instance, { events: [exampleEvent()], counters });
        await writer.appendEvents([exampleEvent()]);
        throw reason;
      });
      assert.equal(await working.catch((error: unknown) => error), reason);
      assert.deepEqual(await store.servers.get(kept.id), kept, 'the delete is undone');
      assert.equal(await store.instances.get(instance.id), null, 'the create is undone');
      assert.equal(await store.counters.get('instances'), 0, 'the counter is undone');
      assert.deepEqual(await loggedIds(store), [], 'the events are undone');
      await store.createInstance(instance, silent);
    },
  ),
  storeCase(
    'transactions/refused-write',
    'A write that is refused leaves nothing of itself, though the work catches the refusal and goes on.',
    async (store) => {
      const first = await store.createInstance(exampleInstance({ name: 'taken' }), silent);
      const refused = (id: string) => ({ events: [exampleEvent({ id })], counters });
      await store.transaction(async (writer) => {
        await writer.createServer(exampleServer(), { events: [exampleEvent({ id: 'a' })] });
        const taken = writer.createInstance(exampleInstance({ name: 'taken' }), refused('taken'));
        await rejectsWith(['ALREADY_EXISTS'], 'a name that is taken', taken);
        const stale = writer.updateInstance({ ...first, resourceVersion: 7 }, refused('stale'));
        await rejectsWith(['CONFLICT'], 'an update from another version', stale);
        const limit = [...counters, { name: 'instances/', by: 1, max: 0 }];
        const much = writer.createInstance(exampleInstance({ name: 'much' }), {
          ...refused('much'),
          counters: limit,
        });
        await rejectsWith(['LIMIT_EXCEEDED'], 'a write past the limit', much);
        await writer.updateInstance(first, { events: [exampleEvent({ id: 'b' })] });
      });
      assert.deepEqual(await loggedIds(store), ['a', 'b'], 'only what was written has events');
      assert.equal(await store.counters.get('instances'), 0, 'what was refused changes no counter');
      assert.equal(await store.instances.count({}), 1, 'what was refused left no row');
    },
  ),
  storeCase(
    'transactions/writer-ends',
    'The writer of a transaction cannot be used after its end.',
    async (store) => {
      const writers: StoreWriter[] = [];
      await store.transaction(async (writer) => {
        writers.push(writer);
      });
      const failing = store.transaction(async (writer) => {
        writers.push(writer);
        throw new RangeError('the work says no');
      });
      await assert.rejects(failing, RangeError);
      const server = exampleServer();
      for (const writer of writers) {
        await rejectsWith(['INVALID_ARGUMENT'], 'a late write', writer.createServer(server, silent));
        await rejectsWith(['INVALID_ARGUMENT'], 'a late append', writer.appendEvents([exampleEvent()]));
      }
      assert.equal(await store.servers.get(server.id), null, 'a late write leaves nothing');
      assert.deepEqual(await loggedIds(store), [], 'a late append leaves nothing');
    },
  ),
  storeCase(
    'transactions/aborted',
    'A transaction whose signal is aborted while its work hangs rejects with ABORTED, writes nothing and is in nobody’s way.',
    async (store, bench) => {
      const aborting = new AbortController();
      const server = exampleServer();
      const hanging = store.transaction(
        async (writer) => {
          await writer.createServer(server, silent);
          aborting.abort();
          await new Promise(() => undefined);
        },
        { signal: aborting.signal },
      );
      const ending = within(bench.patienceMs, 'the transaction', hanging);
      await rejectsWith(['ABORTED'], 'the transaction', ending);
      assert.equal(await store.servers.get(server.id), null, 'nothing of it stays');
      const next = store.createServer(server, silent);
      await within(bench.patienceMs, 'the write after an aborted transaction', next);
    },
  ),
  storeCase(
    'transactions/no-lost-update',
    'Of transactions at once that write one row as they read it, each succeeds or gets CONFLICT, and no update is lost.',
    async (store, bench) => {
      const other = await bench.beside();
      const { id } = await store.createInstance(exampleInstance({ generation: 0 }), silent);
      const { won, codes } = await outcomesOf(
        times(12, async (n) => {
          const at = n % 2 === 0 ? store : other;
          const row = await at.instances.get(id);
          assert.ok(row, 'the row is there');
          return at.transaction((writer) =>
            writer.updateInstance({ ...row, generation: row.generation + 1 }, silent),
          );
        }),
      );
      const others = codes.filter((code) => code !== 'CONFLICT');
      assert.deepEqual(others, [], 'what does not succeed gets CONFLICT');
      assert.ok(won.length > 0, 'one at least succeeds');
      const row = await store.instances.get(id);
      assert.deepEqual([row?.generation, row?.resourceVersion], [won.length, won.length + 1]);
    },
  ),
  storeCase('transactions/empty', 'A transaction that writes nothing resolves.', async (store) => {
    assert.equal(await store.transaction(async () => 7), 7);
  }),
];
