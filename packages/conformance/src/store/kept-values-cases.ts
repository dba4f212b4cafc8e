import assert from 'node:assert/strict';
import type { Event, MCPServer, Store } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleInstance, exampleServer } from './example-rows.js';
import { awkwardNumbers, awkwardText, fullInstance, fullServer } from './full-rows.js';
import { loggedIds, numberAll } from './log-tail.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };

/** Demands that a server is kept to the last character, or refused as a whole with a code that says why. */
async function keptOrRefused(store: Store, given: MCPServer): Promise<void> {
  const logged = await loggedIds(store);
  const writing = store.createServer(given, { events: [exampleEvent()] });
  const kept = await writing.then(
    () => true,
    () => false,
  );
  if (kept) {
    assert.deepEqual(await store.servers.get(given.id), given);
    return;
  }
  await rejectsWith(['INVALID_ARGUMENT'], 'a text that the store cannot keep', writing);
  assert.equal(await store.servers.get(given.id), null, 'what was refused is not there');
  assert.deepEqual(await loggedIds(store), logged, 'what was refused has no events');
}

/** What a store gives back of what it was given. */
export const keptValuesCases = [
  storeCase('values/server', 'Every field of a server is given back as it was given.', async (store) => {
    const given = fullServer();
    assert.deepEqual(await store.createServer(given, silent), given);
    assert.deepEqual(await store.servers.get(given.id), given);
    assert.deepEqual((await store.servers.list({ limit: 1 })).items, [given]);
  }),
  storeCase('values/instance', 'Every field of an instance is given back as it was given.', async (store) => {
    const given = fullInstance();
    assert.deepEqual(await store.createInstance(given, silent), given);
    assert.deepEqual(await store.instances.get(given.id), given);
    assert.deepEqual((await store.instances.list({ limit: 1 })).items, [given]);
  }),
  storeCase(
    'values/event',
    'Every field of an event is given back as it was given, with its position and resourceVersion.',
    async (store) => {
      const given = exampleEvent({
        id: awkwardText,
        source: awkwardText,
        subject: awkwardText,
        tenant: awkwardText,
        actor: '',
        correlationid: awkwardText,
        time: '1999-12-31T23:59:59.000Z',
        data: { part: awkwardText },
      });
      await store.appendEvents([given]);
      const event: Event = { ...given, position: 1, resourceVersion: 0 };
      assert.deepEqual(await store.events.number(9), [event], 'number() gives whole events');
      assert.deepEqual(await store.events.read({ after: 0, limit: 9 }), [event], 'read() gives whole events');
    },
  ),
  storeCase('values/empty', 'Empty texts stay empty texts and null stays null.', async (store) => {
    const given = exampleServer({
      description: '',
      version: '',
      dockerImageUrl: null,
      jsonSpec: { a: null },
    });
    assert.deepEqual(await store.createServer(given, silent), given);
    const empty = exampleServer({ dockerImageUrl: '', tags: [], envSchema: [], jsonSpec: {}, labels: {} });
    await store.createServer(empty, silent);
    assert.deepEqual(await store.servers.get(given.id), given);
    assert.deepEqual(await store.servers.get(empty.id), empty);
  }),
  storeCase('values/undefined', 'A field that is undefined is left out, as in JSON.', async (store) => {
    const given = exampleServer({ jsonSpec: { a: 1, b: undefined } });
    const created = await store.createServer(given, silent);
    const kept = { ...given, jsonSpec: { a: 1 } };
    assert.deepEqual(created, kept, 'what create returns has no field that is undefined');
    assert.deepEqual(await store.servers.get(given.id), kept);
  }),
  storeCase(
    'values/numbers',
    'Numbers are given back as they were given, large, small and broken ones.',
    async (store) => {
      const given = exampleServer({ jsonSpec: { numbers: awkwardNumbers } });
      await store.createServer(given, silent);
      assert.deepEqual(await store.servers.get(given.id), given);
    },
  ),
  storeCase('values/large', 'A row of a megabyte is kept, and so is its event.', async (store) => {
    const text = awkwardText.repeat(10_000);
    const given = exampleInstance({ jsonSpec: { type: 'docker', environment: { TEXT: text } } });
    await store.createInstance(given, { events: [exampleEvent({ data: { part: text } })] });
    assert.deepEqual(await store.instances.get(given.id), given);
    assert.deepEqual(
      (await numberAll(store)).map(({ data }) => data),
      [{ part: text }],
    );
  }),
  storeCase(
    'values/nul',
    'A text with the character U+0000 is kept, or refused with INVALID_ARGUMENT.',
    async (store) => {
      await keptOrRefused(
        store,
        exampleServer({ description: 'a\u0000b', jsonSpec: { 'c\u0000': '\u0000' } }),
      );
      await keptOrRefused(store, exampleServer({ jsonSpec: { text: '\u0000' } }));
    },
  ),
  storeCase(
    'values/half-character',
    'A text with half of a surrogate pair is kept, or refused with INVALID_ARGUMENT.',
    async (store) => {
      await keptOrRefused(store, exampleServer({ description: 'a\ud83e' }));
      await keptOrRefused(store, exampleServer({ jsonSpec: { text: '\udd8a' } }));
    },
  ),
  storeCase(
    'values/own-copy',
    'The store keeps its own copy: what the caller does later to what it gave changes nothing.',
    async (store) => {
      const labels: Record<string, string> = { a: '1' };
      const data = { part: 'before' };
      const given = exampleInstance({ labels });
      const writing = store.createInstance(given, { events: [exampleEvent({ data })] });
      labels['a'] = '2';
      data.part = 'after';
      await writing;
      labels['a'] = '3';
      assert.deepEqual((await store.instances.get(given.id))?.labels, { a: '1' });
      assert.deepEqual((await store.events.number(9))[0]?.data, { part: 'before' });
    },
  ),
  storeCase(
    'values/apart',
    'What one caller does to a row it was given is not seen by another.',
    async (store) => {
      const { id } = await store.createInstance(exampleInstance({ labels: { a: '1' } }), silent);
      for (const row of [
        await store.instances.get(id),
        (await store.instances.list({ limit: 1 })).items[0],
      ]) {
        // A store may also give frozen rows, which refuse the change.
        if (row !== undefined && row !== null) Reflect.set(row.labels, 'a', '2');
      }
      assert.deepEqual((await store.instances.get(id))?.labels, { a: '1' });
    },
  ),
];
