import assert from 'node:assert/strict';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleInstance, exampleLetter, exampleServer } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { storeCase } from './store-bench.js';

const effects = { events: [exampleEvent()], counters: [{ name: 'instances', by: 1 }] };
const holder = { id: 'a', ttlMs: 60_000 };

/** What a signal does that is aborted before the call. */
export const abortCases = [
  storeCase(
    'aborted/writes',
    'A write whose signal is aborted beforehand rejects with ABORTED and writes nothing.',
    async (store) => {
      const options = { signal: AbortSignal.abort() };
      const server = await store.createServer(exampleServer(), { events: [] });
      const instance = await store.createInstance(exampleInstance(), { events: [] });
      let worked = false;
      const work = async (): Promise<void> => {
        worked = true;
      };
      const calls = {
        createServer: store.createServer(exampleServer(), effects, options),
        updateServer: store.updateServer(server, effects, options),
        deleteServer: store.deleteServer(server.id, effects, options),
        createInstance: store.createInstance(exampleInstance(), effects, options),
        updateInstance: store.updateInstance(instance, effects, options),
        deleteInstance: store.deleteInstance(instance, effects, options),
        appendEvents: store.appendEvents([exampleEvent()], options),
        transaction: store.transaction(work, options),
        saveCursor: store.events.saveCursor('a', 1, options),
        setCursor: store.events.setCursor('a', 1, options),
        addDeadLetter: store.events.addDeadLetter('a', exampleLetter(1), options),
        removeDeadLetter: store.events.removeDeadLetter('a', 1, options),
        acquire: store.leases.acquire(['x'], holder, options),
      };
      await Promise.allSettled(Object.values(calls));
      for (const [name, call] of Object.entries(calls)) await rejectsWith(['ABORTED'], name, call);
      assert.equal(worked, false, 'the work of an aborted transaction is not begun');
      assert.deepEqual((await store.servers.list({ limit: 9 })).items, [server]);
      assert.deepEqual((await store.instances.list({ limit: 9 })).items, [instance]);
      assert.deepEqual(await loggedIds(store), []);
      assert.equal(await store.counters.get('instances'), 0);
      assert.equal(await store.events.cursor('a'), null);
      assert.deepEqual(await store.leases.list(), []);
    },
  ),
  storeCase(
    'aborted/in-transaction',
    'A write in a transaction whose own signal is aborted rejects with ABORTED; the others are committed.',
    async (store) => {
      const kept = exampleServer();
      await store.transaction(async (writer) => {
        const options = { signal: AbortSignal.abort() };
        await rejectsWith(['ABORTED'], 'the write', writer.createServer(exampleServer(), effects, options));
        await writer.createServer(kept, { events: [] });
      });
      assert.deepEqual((await store.servers.list({ limit: 9 })).items, [kept]);
      assert.deepEqual(await loggedIds(store), []);
    },
  ),
  storeCase(
    'aborted/reads',
    'A read whose signal is aborted beforehand rejects with ABORTED.',
    async (store) => {
      const options = { signal: AbortSignal.abort() };
      const calls = {
        'servers.get': store.servers.get('a', options),
        'servers.list': store.servers.list({ limit: 1 }, options),
        'instances.get': store.instances.get('a', options),
        'instances.list': store.instances.list({ limit: 1 }, options),
        'instances.count': store.instances.count({}, options),
        'events.read': store.events.read({ after: 0, limit: 1 }, options),
        'events.head': store.events.head(options),
        'events.cursor': store.events.cursor('a', options),
        'events.cursors': store.events.cursors('', options),
        'events.deadLetters': store.events.deadLetters('a', { after: 0, limit: 1 }, options),
        'leases.list': store.leases.list(options),
        'counters.get': store.counters.get('instances', options),
        now: store.now(options),
      };
      await Promise.allSettled(Object.values(calls));
      for (const [name, call] of Object.entries(calls)) await rejectsWith(['ABORTED'], name, call);
    },
  ),
];
