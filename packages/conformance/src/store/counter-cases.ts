import assert from 'node:assert/strict';
import type { CounterChange, CounterDrift, Store } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import { exampleEvent, exampleInstance, exampleServer } from './example-rows.js';
import { loggedIds } from './log-tail.js';
import { outcomesOf, times } from './outcomes.js';
import { storeCase } from './store-bench.js';

const withCounters = (...counters: readonly CounterChange[]) => ({ events: [], counters });

/** Makes counters disagree with the rows. */
async function drift(store: Store, ...counters: readonly CounterChange[]): Promise<void> {
  await store.createServer(exampleServer(), withCounters(...counters));
}

function byName(drifts: readonly CounterDrift[]): CounterDrift[] {
  return drifts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What counters and limits do. */
export const counterCases = [
  storeCase('counters/change', 'A counter begins at 0 and is changed with the row.', async (store) => {
    assert.equal(await store.counters.get('instances'), 0);
    const up = { name: 'instances', by: 1 };
    const row = await store.createInstance(
      exampleInstance(),
      withCounters(up, { name: 'instances/a', by: 2 }),
    );
    assert.equal(await store.counters.get('instances'), 1);
    assert.equal(await store.counters.get('instances/a'), 2);
    await store.deleteInstance(row, withCounters({ name: 'instances', by: -1 }));
    assert.equal(await store.counters.get('instances'), 0);
  }),
  storeCase(
    'counters/limit',
    'A write that would take a counter past its limit is refused with LIMIT_EXCEEDED, and nothing of it stays.',
    async (store) => {
      const limited = (by: number) => withCounters({ name: 'instances', by, max: 2 });
      const first = await store.createInstance(exampleInstance(), limited(1));
      const much = store.createInstance(exampleInstance(), limited(2));
      await rejectsWith(['LIMIT_EXCEEDED'], 'a write past the limit', much);
      await store.createInstance(exampleInstance(), limited(1));
      const refused = exampleInstance();
      const writing = store.createInstance(refused, { ...limited(1), events: [exampleEvent()] });
      await rejectsWith(['LIMIT_EXCEEDED'], 'a write at the limit', writing);
      assert.equal(await store.counters.get('instances'), 2, 'the counter stays at its limit');
      assert.equal(await store.instances.get(refused.id), null, 'the row is not there');
      assert.deepEqual(await loggedIds(store), [], 'a refused write has no events');
      await store.deleteInstance(first, withCounters({ name: 'instances', by: -1 }));
      await store.createInstance(refused, limited(1));
    },
  ),
  storeCase(
    'counters/limit-of-another',
    'A counter is not changed when another one of the same write is at its limit.',
    async (store) => {
      for (const names of [
        ['instances', 'instances/a'],
        ['instances/a', 'instances'],
      ] as const) {
        const [free, full] = names.map((name) => ({ name, by: 1 }));
        assert.ok(free && full, 'two counters');
        const writing = store.createInstance(exampleInstance(), withCounters(free, { ...full, max: 0 }));
        await rejectsWith(['LIMIT_EXCEEDED'], `a write past the limit of ${full.name}`, writing);
        assert.equal(await store.counters.get(free.name), 0, `${free.name} is as before`);
      }
      assert.equal(await store.instances.count({}), 0, 'no row was written');
    },
  ),
  storeCase(
    'counters/exact',
    'Of twenty that create at once under a limit of five, five succeed and the others get LIMIT_EXCEEDED.',
    async (store, bench) => {
      const other = await bench.beside();
      const { won, codes } = await outcomesOf(
        times(20, async (n) =>
          (n % 2 === 0 ? store : other).createInstance(
            exampleInstance(),
            withCounters({ name: 'instances', by: 1, max: 5 }),
          ),
        ),
      );
      assert.deepEqual(codes, Array(15).fill('LIMIT_EXCEEDED'));
      assert.equal(won.length, 5);
      assert.equal(await store.counters.get('instances'), 5, 'the counter is the number of rows');
      assert.equal(await store.instances.count({}), 5);
    },
  ),
  storeCase(
    'counters/any-order',
    'Writes at once that name the same counters in different orders all succeed.',
    async (store, bench) => {
      const other = await bench.beside();
      const names = ['instances', 'instances/a', 'instances/b'];
      const { codes } = await outcomesOf(
        times(20, async (n) => {
          const counters = names.map((name) => ({ name, by: 1 }));
          const [writer, order] = n % 2 === 0 ? [store, counters] : [other, counters.toReversed()];
          return writer.createInstance(exampleInstance(), withCounters(...order));
        }),
      );
      assert.deepEqual(codes, [], 'no write failed');
      for (const name of names) assert.equal(await store.counters.get(name), 20, name);
    },
  ),
  storeCase(
    'counters/recount',
    'recount() mends what does not agree with the rows, and tells what it was.',
    async (store) => {
      assert.deepEqual(await store.counters.recount(), []);
      const right = withCounters({ name: 'instances', by: 1 }, { name: 'instances/a', by: 1 });
      await store.createInstance(exampleInstance({ tenant: 'a' }), right);
      assert.deepEqual(await store.counters.recount(), [], 'what is right is not reported');
      await drift(store, { name: 'instances', by: 3 }, { name: 'instances/a', by: -1 });
      assert.deepEqual(byName(await store.counters.recount()), [
        { name: 'instances', was: 4, is: 1 },
        { name: 'instances/a', was: 0, is: 1 },
      ]);
      assert.equal(await store.counters.get('instances'), 1);
      assert.equal(await store.counters.get('instances/a'), 1);
      assert.deepEqual(await store.counters.recount(), [], 'what was mended is right');
    },
  ),
  storeCase(
    'counters/recount-tenants',
    'recount() covers every tenant: those without a counter, and those without a row.',
    async (store) => {
      await store.createInstance(exampleInstance({ tenant: "it's/a %" }), withCounters());
      await store.createInstance(exampleInstance({ tenant: '' }), withCounters());
      await drift(store, { name: 'instances/gone', by: 2 });
      assert.deepEqual(byName(await store.counters.recount()), [
        { name: 'instances', was: 0, is: 2 },
        { name: 'instances/', was: 0, is: 1 },
        { name: 'instances/gone', was: 2, is: 0 },
        { name: "instances/it's/a %", was: 0, is: 1 },
      ]);
    },
  ),
  storeCase(
    'counters/recount-while-writing',
    'A recount during writes leaves the counters as the rows are.',
    async (store, bench) => {
      const other = await bench.beside();
      const counters = withCounters({ name: 'instances', by: 1 }, { name: 'instances/', by: 1 });
      const writing = outcomesOf(times(30, async () => other.createInstance(exampleInstance(), counters)));
      for (let n = 0; n < 5; n += 1) await store.counters.recount();
      assert.deepEqual((await writing).codes, [], 'no write failed');
      assert.equal(await store.counters.get('instances'), 30);
      assert.equal(await store.counters.get('instances/'), 30);
      assert.deepEqual(await store.counters.recount(), []);
    },
  ),
];
