import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleServer, timeAfter } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };

/** How definitions are written. */
export const serverCases = [
  storeCase(
    'servers/create',
    'createServer() keeps the row with resourceVersion 1, whatever was given, and returns what get() gives.',
    async (store) => {
      const given = exampleServer({ resourceVersion: 9 });
      const created = await store.createServer(given, silent);
      assert.deepEqual(created, { ...given, resourceVersion: 1 });
      assert.deepEqual(await store.servers.get(given.id), created);
    },
  ),
  storeCase(
    'servers/update',
    'updateServer() replaces every field of the row and raises resourceVersion by 1.',
    async (store) => {
      const created = await store.createServer(exampleServer(), silent);
      const changed = { ...exampleServer({ id: created.id }), name: 'b', tags: [], labels: {}, jsonSpec: {} };
      const given = { ...changed, dockerImageUrl: null, isPublic: false, updatedAt: timeAfter(9) };
      const updated = await store.updateServer(given, silent);
      assert.deepEqual(updated, { ...given, resourceVersion: 2 });
      assert.deepEqual(await store.servers.get(created.id), updated);
      assert.equal((await store.updateServer(updated, silent)).resourceVersion, 3);
    },
  ),
  storeCase(
    'servers/update-conflict',
    'updateServer() from another resourceVersion is refused with CONFLICT and changes nothing.',
    async (store) => {
      const created = await store.createServer(exampleServer(), silent);
      const updated = await store.updateServer(created, silent);
      for (const resourceVersion of [1, 3]) {
        const late = { ...created, description: 'late', resourceVersion };
        const writing = store.updateServer(late, { events: [exampleEvent()] });
        await rejectsWith(['CONFLICT'], `an update of version 2 from version ${resourceVersion}`, writing);
      }
      assert.deepEqual(await store.servers.get(created.id), updated);
      assert.deepEqual(await loggedIds(store), [], 'a refused write has no events');
    },
  ),
  storeCase(
    'servers/update-gone',
    'updateServer() of a row that is gone is refused with CONFLICT.',
    async (store) => {
      const created = await store.createServer(exampleServer(), silent);
      await store.deleteServer(created.id, silent);
      await rejectsWith(['CONFLICT'], 'an update after the delete', store.updateServer(created, silent));
      await rejectsWith(['CONFLICT'], 'an update of no row', store.updateServer(exampleServer(), silent));
      assert.deepEqual((await store.servers.list({ limit: 9 })).items, []);
    },
  ),
  storeCase(
    'servers/delete',
    'deleteServer() removes the row, and resolves without events where there is none.',
    async (store) => {
      const { id } = await store.createServer(exampleServer(), silent);
      await store.deleteServer(id, { events: [exampleEvent({ id: 'deleted' })] });
      assert.equal(await store.servers.get(id), null);
      await store.deleteServer(id, { events: [exampleEvent({ id: 'again' })] });
      await store.deleteServer('no such id', { events: [exampleEvent({ id: 'never' })] });
      assert.deepEqual(await loggedIds(store), ['deleted'], 'only what removed a row has events');
    },
  ),
  storeCase(
    'servers/get-absent',
    'get() gives null for an id of no row, whatever its form.',
    async (store) => {
      for (const id of [randomUUID(), 'no such id', ''])
        assert.equal(await store.servers.get(id), null, `get(${JSON.stringify(id)})`);
    },
  ),
  storeCase(
    'servers/unique-id',
    'createServer() with the id of another row is refused with ALREADY_EXISTS.',
    async (store) => {
      const { id } = await store.createServer(exampleServer(), silent);
      const second = store.createServer(exampleServer({ id, name: 'other' }), silent);
      await rejectsWith(['ALREADY_EXISTS'], 'a second server of one id', second);
    },
  ),
  storeCase(
    'servers/unique-name',
    'No two servers have the same tenant, name and version; those that differ in one of them may both exist.',
    async (store) => {
      const key = { tenant: 'a', name: 'n', version: '1' };
      await store.createServer(exampleServer(key), silent);
      const twice = store.createServer(exampleServer(key), silent);
      await rejectsWith(['ALREADY_EXISTS'], 'a second server of one tenant, name and version', twice);
      const other = await store.createServer(exampleServer({ ...key, version: '2' }), silent);
      await store.createServer(exampleServer({ ...key, tenant: 'b' }), silent);
      await store.createServer(exampleServer({ ...key, name: 'N' }), silent);
      const renaming = store.updateServer({ ...other, version: '1' }, silent);
      await rejectsWith(['ALREADY_EXISTS'], 'an update to a version that is taken', renaming);
    },
  ),
  storeCase(
    'servers/name-free-again',
    'The name of a server is free again when it was renamed or deleted.',
    async (store) => {
      const first = await store.createServer(exampleServer({ name: 'a' }), silent);
      await store.updateServer({ ...first, name: 'b' }, silent);
      const second = await store.createServer(exampleServer({ name: 'a' }), silent);
      await store.deleteServer(second.id, silent);
      await store.createServer(exampleServer({ name: 'a' }), silent);
    },
  ),
];
