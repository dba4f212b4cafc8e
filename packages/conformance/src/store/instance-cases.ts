import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleInstance } from './example-rows.js';
import { fullInstance } from './full-rows.js';
import { loggedIds } from './log-tail.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };
const counters = [{ name: 'instances', by: 1 }];

/** How instances are written. */
export const instanceCases = [
  storeCase(
    'instances/create',
    'createInstance() keeps the row with resourceVersion 1, whatever was given, and returns what get() gives.',
    async (store) => {
      const given = exampleInstance({ resourceVersion: 9 });
      const created = await store.createInstance(given, silent);
      assert.deepEqual(created, { ...given, resourceVersion: 1 });
      assert.deepEqual(await store.instances.get(given.id), created);
    },
  ),
  storeCase(
    'instances/update',
    'updateInstance() replaces every field of the row and raises resourceVersion by 1.',
    async (store) => {
      const created = await store.createInstance(exampleInstance(), silent);
      const full = { ...fullInstance(), id: created.id, createdAt: created.createdAt, resourceVersion: 1 };
      const updated = await store.updateInstance(full, silent);
      assert.deepEqual(updated, { ...full, resourceVersion: 2 });
      assert.deepEqual(await store.instances.get(created.id), updated);
      const emptied = await store.updateInstance({ ...created, resourceVersion: 2 }, silent);
      assert.deepEqual(emptied, { ...created, resourceVersion: 3 });
      assert.deepEqual(await store.instances.get(created.id), emptied);
    },
  ),
  storeCase(
    'instances/update-conflict',
    'updateInstance() from another resourceVersion is refused with CONFLICT and changes nothing.',
    async (store) => {
      const created = await store.createInstance(exampleInstance(), silent);
      const updated = await store.updateInstance(created, silent);
      for (const resourceVersion of [1, 3]) {
        const late = { ...created, description: 'late', resourceVersion };
        const writing = store.updateInstance(late, { events: [exampleEvent()], counters });
        await rejectsWith(['CONFLICT'], `an update of version 2 from version ${resourceVersion}`, writing);
      }
      assert.deepEqual(await store.instances.get(created.id), updated);
      assert.deepEqual(await loggedIds(store), [], 'a refused write has no events');
      assert.equal(await store.counters.get('instances'), 0, 'a refused write changes no counter');
    },
  ),
  storeCase(
    'instances/update-gone',
    'updateInstance() of a row that is gone is refused with CONFLICT.',
    async (store) => {
      const created = await store.createInstance(exampleInstance(), silent);
      await store.deleteInstance(created, silent);
      await rejectsWith(['CONFLICT'], 'an update after the delete', store.updateInstance(created, silent));
      assert.equal(await store.instances.get(created.id), null);
    },
  ),
  storeCase(
    'instances/delete',
    'deleteInstance() removes the row, and resolves without events and counters where there is none.',
    async (store) => {
      const created = await store.createInstance(exampleInstance(), { events: [], counters });
      const effects = (id: string) => ({
        events: [exampleEvent({ id })],
        counters: [{ name: 'instances', by: -1 }],
      });
      await store.deleteInstance(created, effects('deleted'));
      assert.equal(await store.instances.get(created.id), null);
      await store.deleteInstance(created, effects('again'));
      await store.deleteInstance(exampleInstance({ id: 'no such id' }), effects('never'));
      assert.deepEqual(await loggedIds(store), ['deleted'], 'only what removed a row has events');
      assert.equal(await store.counters.get('instances'), 0, 'only what removed a row changes counters');
    },
  ),
  storeCase(
    'instances/delete-conflict',
    'deleteInstance() from another resourceVersion is refused with CONFLICT and removes nothing.',
    async (store) => {
      const created = await store.createInstance(exampleInstance(), silent);
      const updated = await store.updateInstance(created, silent);
      const deleting = store.deleteInstance(created, { events: [exampleEvent()], counters });
      await rejectsWith(['CONFLICT'], 'a delete of version 2 as of version 1', deleting);
      assert.deepEqual(await store.instances.get(created.id), updated);
      assert.deepEqual(await loggedIds(store), [], 'a refused delete has no events');
    },
  ),
  storeCase(
    'instances/get-absent',
    'get() gives null for an id of no row, whatever its form.',
    async (store) => {
      for (const id of [randomUUID(), 'no such id', ''])
        assert.equal(await store.instances.get(id), null, `get(${JSON.stringify(id)})`);
    },
  ),
  storeCase(
    'instances/unique-id',
    'createInstance() with the id of another row is refused with ALREADY_EXISTS.',
    async (store) => {
      const { id } = await store.createInstance(exampleInstance(), silent);
      const second = store.createInstance(exampleInstance({ id, name: 'other', slug: 'other' }), silent);
      await rejectsWith(['ALREADY_EXISTS'], 'a second instance of one id', second);
    },
  ),
  storeCase(
    'instances/unique-name',
    'No two instances of a tenant have the same name; those of different tenants may.',
    async (store) => {
      await store.createInstance(exampleInstance({ name: 'n' }), silent);
      const twice = store.createInstance(exampleInstance({ name: 'n' }), silent);
      await rejectsWith(['ALREADY_EXISTS'], 'a second instance of one tenant and name', twice);
      await store.createInstance(exampleInstance({ name: 'n', tenant: 'b' }), silent);
      const other = await store.createInstance(exampleInstance({ name: 'N' }), silent);
      const renaming = store.updateInstance({ ...other, name: 'n' }, silent);
      await rejectsWith(['ALREADY_EXISTS'], 'an update to a name that is taken', renaming);
    },
  ),
  storeCase(
    'instances/unique-slug',
    'No two instances have the same slug, of whatever tenants they are.',
    async (store) => {
      await store.createInstance(exampleInstance({ slug: 's' }), silent);
      const twice = store.createInstance(exampleInstance({ slug: 's', tenant: 'b' }), silent);
      await rejectsWith(['ALREADY_EXISTS'], 'a second instance of one slug', twice);
    },
  ),
  storeCase(
    'instances/name-free-again',
    'The name and the slug of an instance are free again when it was renamed or deleted.',
    async (store) => {
      const first = await store.createInstance(exampleInstance({ name: 'a', slug: 'a' }), silent);
      await store.updateInstance({ ...first, name: 'b', slug: 'b' }, silent);
      const second = await store.createInstance(exampleInstance({ name: 'a', slug: 'a' }), silent);
      await store.deleteInstance(second, silent);
      await store.createInstance(exampleInstance({ name: 'a', slug: 'a' }), silent);
    },
  ),
];
