import assert from 'node:assert/strict';
import type { Store } from '@mcpinfra/core/plugin';
import { eventually } from '../eventually.js';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleInstance } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { storeCase } from './store-bench.js';

const silent = { events: [] };
const counters = [{ name: 'instances', by: 1 }];

/** The epoch of a lease of a minute. */
async function lease(store: Store, name: string, id = 'a'): Promise<number> {
  const [taken] = await store.leases.acquire([name], { id, ttlMs: 60_000 });
  assert.ok(taken, `the lease "${name}" is free`);
  return taken.epoch;
}

/** Demands that every write under a fence is refused, also one that would be a conflict, and leaves nothing. */
async function assertLost(store: Store, fence: number, why: string): Promise<void> {
  const row = await store.createInstance(exampleInstance(), silent);
  const logged = await loggedIds(store);
  const effects = { events: [exampleEvent()], counters, fence };
  const stale = { ...row, resourceVersion: 9 };
  const writes = {
    updateInstance: () => store.updateInstance(row, effects),
    'updateInstance from another version': () => store.updateInstance(stale, effects),
    deleteInstance: () => store.deleteInstance(row, effects),
    'deleteInstance from another version': () => store.deleteInstance(stale, effects),
    appendEvents: () => store.appendEvents([exampleEvent()], { fence }),
    'a transaction': () =>
      store.transaction(async (writer) => {
        await writer.appendEvents([exampleEvent()]);
        await writer.updateInstance(row, effects);
      }),
  };
  for (const [name, write] of Object.entries(writes))
    await rejectsWith(['LEASE_LOST'], `${name} under a lease that ${why}`, write());
  assert.deepEqual(await store.instances.get(row.id), row, 'the row is as it was');
  assert.deepEqual(await loggedIds(store), logged, 'a refused write has no events');
  assert.equal(await store.counters.get('instances'), 0, 'a refused write changes no counter');
}

/** Which writes of workers are refused. */
export const fenceCases = [
  storeCase(
    'fences/alive',
    'Under a lease that is held a worker writes, and the row keeps its epoch.',
    async (store) => {
      const fence = await lease(store, 'x');
      const created = await store.createInstance(exampleInstance(), silent);
      const updated = await store.updateInstance(created, { events: [exampleEvent()], fence });
      assert.equal(updated.runtime.leaseEpoch, fence, 'leaseEpoch is the epoch it was written under');
      assert.deepEqual(await store.instances.get(created.id), updated);
      await store.appendEvents([exampleEvent()], { fence });
      const byCommand = await store.updateInstance(updated, silent);
      assert.equal(byCommand.runtime.leaseEpoch, fence, 'a write without a fence leaves the epoch');
      await store.deleteInstance(byCommand, { events: [exampleEvent()], fence });
      assert.equal((await loggedIds(store)).length, 3);
    },
  ),
  storeCase('fences/never-given', 'An epoch that was never given is LEASE_LOST.', async (store) => {
    const fence = await lease(store, 'x');
    await assertLost(store, fence + 1000, 'was never given');
  }),
  storeCase('fences/released', 'A lease that was given back is LEASE_LOST.', async (store) => {
    const fence = await lease(store, 'x');
    await store.leases.release(['x'], 'a');
    await assertLost(store, fence, 'was given back');
    await lease(store, 'x', 'b');
    await assertLost(store, fence, 'another one took');
  }),
  storeCase(
    'fences/expired',
    'A lease that ran out is LEASE_LOST, though nobody has taken it.',
    async (store, bench) => {
      const [brief] = await store.leases.acquire(['x'], { id: 'a', ttlMs: 100 });
      assert.ok(brief, 'the lease is free');
      await eventually(async () => {
        assert.deepEqual(await store.leases.list(), [], 'the lease runs out');
      }, bench.patienceMs);
      await assertLost(store, brief.epoch, 'ran out');
    },
  ),
  storeCase(
    'fences/changed-hands',
    'A lease that ran out and was taken by another is LEASE_LOST for the first, also in another process.',
    async (store, bench) => {
      const other = await bench.beside();
      const [brief] = await store.leases.acquire(['x'], { id: 'a', ttlMs: 100 });
      assert.ok(brief, 'the lease is free');
      let fence = 0;
      await eventually(async () => {
        fence = await lease(other, 'x', 'b');
      }, bench.patienceMs);
      await assertLost(store, brief.epoch, 'changed hands');
      const row = await store.createInstance(exampleInstance(), silent);
      await other.updateInstance(row, { events: [], fence });
    },
  ),
  storeCase(
    'fences/higher-row',
    'A row that was written under a higher epoch is LEASE_LOST for a lower one, though its lease is held.',
    async (store, bench) => {
      const other = await bench.beside();
      const low = await lease(store, 'x');
      const high = await lease(other, 'y', 'b');
      const created = await store.createInstance(exampleInstance(), silent);
      const row = await other.updateInstance(created, { events: [], fence: high });
      const effects = { events: [exampleEvent()], fence: low };
      for (const given of [row, created]) {
        await rejectsWith(
          ['LEASE_LOST'],
          'an update under the lower epoch',
          store.updateInstance(given, effects),
        );
        await rejectsWith(
          ['LEASE_LOST'],
          'a delete under the lower epoch',
          store.deleteInstance(given, effects),
        );
      }
      assert.deepEqual(await store.instances.get(row.id), row);
      assert.deepEqual(await loggedIds(store), [], 'a refused write has no events');
      await other.deleteInstance(row, { events: [], fence: high });
    },
  ),
  storeCase(
    'fences/conflict',
    'Under a lease that is held, another version or a row that is gone is CONFLICT as ever.',
    async (store) => {
      const fence = await lease(store, 'x');
      const row = await store.createInstance(exampleInstance(), silent);
      const effects = { events: [], fence };
      const stale = store.updateInstance({ ...row, resourceVersion: 9 }, effects);
      await rejectsWith(['CONFLICT'], 'an update from another version', stale);
      const gone = store.updateInstance(exampleInstance(), effects);
      await rejectsWith(['CONFLICT'], 'an update of no row', gone);
    },
  ),
  storeCase(
    'fences/taken-again',
    'A holder that took its lease again after it ran out writes under the epoch it was given then.',
    async (store, bench) => {
      await store.leases.acquire(['x'], { id: 'a', ttlMs: 100 });
      await eventually(async () => {
        assert.deepEqual(await store.leases.list(), [], 'the lease runs out');
      }, bench.patienceMs);
      const fence = await lease(store, 'x');
      const row = await store.createInstance(exampleInstance(), silent);
      await store.updateInstance(row, { events: [], fence });
    },
  ),
];
