import assert from 'node:assert/strict';
import type { Lease, Store } from '@mcpinfra/core/plugin';
import { eventually } from '../eventually.js';
import { times } from './outcomes.js';
import { durableCase, storeCase } from './store-bench.js';

const minute = 60_000;
const a = { id: 'a', ttlMs: minute, address: 'http://a:1' };
const b = { id: 'b', ttlMs: minute };

function names(leases: readonly Lease[]): string[] {
  return leases.map(({ name }) => name).toSorted();
}

function epochs(leases: readonly Lease[]): number[] {
  return leases.map(({ epoch }) => epoch);
}

/** The epoch of a lease that must be free. */
async function take(store: Store, name: string, holder: typeof b): Promise<number> {
  const [lease] = await store.leases.acquire([name], holder);
  assert.ok(lease, `the lease "${name}" is free`);
  return lease.epoch;
}

/** Who holds what, and until when. */
export const leaseCases = [
  storeCase(
    'leases/acquire',
    'A lease that was taken has its name, holder, address, a positive epoch, and runs out after ttlMs by the store’s clock.',
    async (store) => {
      const before = Date.parse(await store.now());
      const [lease, ...others] = await store.leases.acquire(['docker/1'], a);
      const after = Date.parse(await store.now());
      assert.ok(lease, 'the lease is free');
      assert.deepEqual(others, []);
      const { epoch, expiresAt, ...rest } = lease;
      assert.deepEqual(rest, { name: 'docker/1', holderId: 'a', address: 'http://a:1' });
      assert.ok(Number.isSafeInteger(epoch) && epoch > 0, `the epoch ${epoch} is an integer above 0`);
      assert.equal(new Date(expiresAt).toISOString(), expiresAt, 'expiresAt is ISO 8601 with milliseconds');
      const expires = Date.parse(expiresAt);
      // Fractions of a millisecond are lost where times are written.
      assert.ok(
        expires >= before + minute - 2 && expires <= after + minute + 2,
        `${expiresAt} is in a minute`,
      );
      const [listed, ...more] = await store.leases.list();
      assert.deepEqual({ ...listed, expiresAt }, lease, 'list() shows what acquire() gave');
      assert.deepEqual(more, []);
      const [unreachable] = await store.leases.acquire(['docker/2'], b);
      assert.equal(unreachable?.address, null, 'a holder that does not listen has no address');
    },
  ),
  storeCase(
    'leases/exclusive',
    'A lease that another one holds is not given; the free ones among those asked for are.',
    async (store, bench) => {
      const other = await bench.beside();
      await store.leases.acquire(['x', 'y'], a);
      assert.deepEqual(await other.leases.acquire(['x'], b), []);
      assert.deepEqual(names(await other.leases.acquire(['x', 'y', 'z'], b)), ['z']);
      const held = (await store.leases.list()).map(({ name, holderId }) => `${name} ${holderId}`);
      assert.deepEqual(held.toSorted(), ['x a', 'y a', 'z b'], 'list() tells who holds what');
    },
  ),
  storeCase(
    'leases/own',
    'A holder that asks again for what it holds gets it, with the same epoch and more time.',
    async (store) => {
      const [first] = await store.leases.acquire(['x'], { id: 'a', ttlMs: minute });
      const [again] = await store.leases.acquire(['x'], { id: 'a', ttlMs: 2 * minute });
      assert.ok(first && again, 'the lease was given twice');
      assert.equal(again.epoch, first.epoch, 'the holder is the same, so the epoch is');
      assert.ok(again.expiresAt > first.expiresAt, 'it runs out later');
    },
  ),
  storeCase(
    'leases/expire',
    'A lease that ran out is listed no more, is not renewed, and is given to the next with a higher epoch.',
    async (store, bench) => {
      const other = await bench.beside();
      const [lease] = await store.leases.acquire(['x'], { id: 'a', ttlMs: 100 });
      assert.ok(lease, 'the lease is free');
      let next: readonly Lease[] = [];
      await eventually(async () => {
        next = await other.leases.acquire(['x'], b);
        assert.deepEqual(names(next), ['x'], 'a lease that ran out is free');
      }, bench.patienceMs);
      assert.ok((next[0]?.epoch ?? 0) > lease.epoch, 'another holder has a higher epoch');
      assert.deepEqual(await store.leases.renew(a), [], 'what another one took is not renewed');
      assert.deepEqual(
        (await store.leases.list()).map(({ holderId }) => holderId),
        ['b'],
      );
    },
  ),
  storeCase(
    'leases/not-listed-when-expired',
    'A lease that ran out is neither listed nor renewed, though nobody took it.',
    async (store, bench) => {
      const brief = { id: 'a', ttlMs: 100 };
      await store.leases.acquire(['x'], brief);
      await eventually(async () => {
        assert.deepEqual(await store.leases.list(), [], 'what ran out is listed no more');
      }, bench.patienceMs);
      assert.deepEqual(await store.leases.renew(brief), [], 'what ran out is not renewed');
      assert.deepEqual(await store.leases.list(), [], 'nor brought back');
    },
  ),
  storeCase(
    'leases/renew',
    'renew() prolongs all leases of a holder, and no others, with the epochs they have.',
    async (store) => {
      const taken = await store.leases.acquire(['x', 'y'], { id: 'a', ttlMs: minute });
      const [others] = await store.leases.acquire(['z'], b);
      const renewed = await store.leases.renew({ id: 'a', ttlMs: 3 * minute });
      assert.deepEqual(names(renewed), ['x', 'y']);
      assert.deepEqual(epochs(renewed).toSorted(), epochs(taken).toSorted(), 'epochs stay');
      for (const lease of renewed) {
        const before = taken.find(({ name }) => name === lease.name);
        assert.ok(lease.expiresAt > (before?.expiresAt ?? ''), `${lease.name} runs out later`);
      }
      const z = (await store.leases.list()).find(({ name }) => name === 'z');
      assert.ok(z && others, 'the lease of another holder is there');
      assert.equal(z.holderId, 'b');
      const prolonged = Date.parse(z.expiresAt) - Date.parse(others.expiresAt);
      assert.ok(
        prolonged < minute,
        `the lease of another holder is not prolonged, but was by ${prolonged} ms`,
      );
      assert.deepEqual(await store.leases.renew({ id: 'nobody', ttlMs: minute }), []);
    },
  ),
  storeCase(
    'leases/release',
    'release() frees a holder’s own leases at once, and leaves those of others alone.',
    async (store, bench) => {
      const other = await bench.beside();
      await store.leases.acquire(['x', 'y'], a);
      await other.leases.release(['x', 'y', 'unknown'], 'b');
      assert.deepEqual(names(await store.leases.list()), ['x', 'y'], 'they are not b’s to release');
      await store.leases.release(['x', 'unknown'], 'a');
      assert.deepEqual(names(await store.leases.list()), ['y']);
      assert.deepEqual(names(await other.leases.acquire(['x', 'y'], b)), ['x']);
    },
  ),
  storeCase(
    'leases/one-holder',
    'Of many that ask for the same leases at once, each lease goes to one.',
    async (store, bench) => {
      const other = await bench.beside();
      const wanted = ['v', 'w', 'x', 'y', 'z'];
      const taken = await Promise.all(
        times(10, async (n) => {
          const order = n % 3 === 0 ? wanted : wanted.toReversed();
          return (n % 2 === 0 ? store : other).leases.acquire(order, { id: `holder-${n}`, ttlMs: minute });
        }),
      );
      assert.deepEqual(names(taken.flat()), wanted, 'each lease was given once');
      const holders = (leases: readonly Lease[]): string[] =>
        leases.map(({ name, holderId }) => `${name} ${holderId}`).toSorted();
      assert.deepEqual(holders(await store.leases.list()), holders(taken.flat()));
    },
  ),
  storeCase(
    'leases/epochs',
    'In the whole store no two leases have the same epoch, and each change of holder raises it.',
    async (store, bench) => {
      const other = await bench.beside();
      const all: number[] = [];
      for (const name of ['x', 'y']) {
        let last = 0;
        for (const holder of [a, b, a, b]) {
          const epoch = await take(holder === a ? store : other, name, holder);
          assert.ok(epoch > last, `the epoch of "${name}" rises from ${last}, not to ${epoch}`);
          last = epoch;
          all.push(epoch);
          await store.leases.release([name], holder.id);
        }
      }
      all.push(...epochs(await store.leases.acquire(['p', 'q', 'r'], a)));
      assert.equal(new Set(all).size, all.length, `no epoch is given twice: ${all.join(', ')}`);
    },
  ),
  durableCase(
    'leases/epochs-kept',
    'An epoch that was given before the store was closed is not given again.',
    async (store, bench) => {
      const before = await take(store, 'x', a);
      await store.leases.release(['x'], 'a');
      const { store: again } = await bench.reopen();
      const after = await take(again, 'y', b);
      assert.ok(after > before, `an epoch above ${before} is given, not ${after}`);
    },
  ),
];
