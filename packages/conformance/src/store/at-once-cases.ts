import assert from 'node:assert/strict';
import type { Store } from '@mcpinfra/core/plugin';
import { exampleEvent, exampleInstance, exampleServer } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { outcomesOf, times } from './outcomes.js';
import { type StoreBench, storeCase } from './store-bench.js';

const silent = { events: [] };

/** Makes twenty calls at once, half of them in another process where there can be one. */
async function race<T>(bench: StoreBench, call: (store: Store, index: number) => Promise<T>) {
  const stores = [await bench.open(), await bench.beside()];
  return outcomesOf(
    times(20, async (n) => {
      const store = stores[n % 2];
      assert.ok(store, 'there are two stores');
      return call(store, n);
    }),
  );
}

/** What happens when many write the same at once. */
export const atOnceCases = [
  storeCase(
    'at-once/update',
    'Of updates from one version at once one succeeds and the others get CONFLICT, each with its own events only.',
    async (store, bench) => {
      const row = await store.createInstance(exampleInstance(), silent);
      const { won, codes } = await race(bench, (at, n) =>
        at.updateInstance(
          { ...row, description: `${n}` },
          { events: [exampleEvent({ id: `${n}` })], counters: [{ name: 'instances', by: 1 }] },
        ),
      );
      assert.deepEqual(codes, Array(19).fill('CONFLICT'));
      const [winner] = won;
      assert.deepEqual(await store.instances.get(row.id), winner);
      assert.deepEqual(await loggedIds(store), [winner?.description], 'only the winner has its event');
      assert.equal(await store.counters.get('instances'), 1, 'only the winner changes the counter');
    },
  ),
  storeCase(
    'at-once/update-server',
    'Of updates of a server from one version at once one succeeds and the others get CONFLICT.',
    async (store, bench) => {
      const row = await store.createServer(exampleServer(), silent);
      const { won, codes } = await race(bench, (at, n) =>
        at.updateServer({ ...row, description: `${n}` }, silent),
      );
      assert.deepEqual(codes, Array(19).fill('CONFLICT'));
      assert.deepEqual(await store.servers.get(row.id), won[0]);
    },
  ),
  storeCase(
    'at-once/create-server',
    'Of servers of one name and version created at once one succeeds and the others get ALREADY_EXISTS.',
    async (store, bench) => {
      const { won, codes } = await race(bench, (at, n) =>
        at.createServer(exampleServer({ name: 'n' }), { events: [exampleEvent({ id: `${n}` })] }),
      );
      assert.deepEqual(codes, Array(19).fill('ALREADY_EXISTS'));
      assert.deepEqual((await store.servers.list({ limit: 99 })).items, won);
      assert.equal((await loggedIds(store)).length, 1, 'only what was created has its event');
    },
  ),
  storeCase(
    'at-once/create-instance',
    'Of instances of one name created at once one succeeds and the others get ALREADY_EXISTS; counters count one.',
    async (store, bench) => {
      const counters = [{ name: 'instances', by: 1 }];
      const { won, codes } = await race(bench, (at) =>
        at.createInstance(exampleInstance({ name: 'n' }), { events: [exampleEvent()], counters }),
      );
      assert.deepEqual(codes, Array(19).fill('ALREADY_EXISTS'));
      assert.deepEqual((await store.instances.list({ limit: 99 })).items, won);
      assert.equal(await store.counters.get('instances'), 1);
      assert.equal((await loggedIds(store)).length, 1, 'only what was created has its event');
    },
  ),
  storeCase(
    'at-once/create-slug',
    'Of instances of one slug created at once one succeeds and the others get ALREADY_EXISTS.',
    async (store, bench) => {
      const { won, codes } = await race(bench, (at) =>
        at.createInstance(exampleInstance({ slug: 's' }), silent),
      );
      assert.deepEqual(codes, Array(19).fill('ALREADY_EXISTS'));
      assert.deepEqual((await store.instances.list({ slug: 's', limit: 99 })).items, won);
    },
  ),
  storeCase(
    'at-once/delete',
    'Of deletes of one row at once one removes it; the others resolve without events and counters.',
    async (store, bench) => {
      const counters = [{ name: 'instances', by: 5 }];
      const row = await store.createInstance(exampleInstance(), { events: [], counters });
      const { codes } = await race(bench, (at) =>
        at.deleteInstance(row, { events: [exampleEvent()], counters: [{ name: 'instances', by: -1 }] }),
      );
      assert.deepEqual(codes, [], 'deleting what is gone resolves');
      assert.equal((await loggedIds(store)).length, 1, 'one delete has its event');
      assert.equal(await store.counters.get('instances'), 4, 'one delete changes the counter');
    },
  ),
  storeCase(
    'at-once/delete-and-update',
    'Of a delete and updates of one version at once one succeeds and the others see what it did.',
    async (store, bench) => {
      const row = await store.createInstance(exampleInstance(), silent);
      const { codes } = await race(bench, async (at, n) => {
        const effects = { events: [exampleEvent({ id: n === 7 ? 'deleted' : `updated ${n}` })] };
        if (n === 7) await at.deleteInstance(row, effects);
        else await at.updateInstance(row, effects);
      });
      assert.deepEqual(codes, Array(19).fill('CONFLICT'));
      const [only, ...others] = await loggedIds(store);
      assert.deepEqual(others, [], 'one write has its event');
      const left = await store.instances.get(row.id);
      assert.equal(left?.resourceVersion ?? null, only === 'deleted' ? null : 2);
    },
  ),
];
