import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type InstanceRecord, MCPInfraError, type Store } from '@mcpinfra/core/plugin';
import { exampleInstance, exampleServer } from './example-rows.js';
import { outcomesOf, times } from './outcomes.js';
import { type StoreBench, storeCase } from './store-bench.js';

const silent = { events: [] };

/** Two stores on the data in turn, where there can be two. */
async function inTurn(bench: StoreBench): Promise<(index: number) => Store> {
  const [first, second] = [await bench.open(), await bench.beside()];
  return (index) => (index % 2 === 0 ? first : second);
}

/** Reads, changes and writes until the write is not refused with CONFLICT. Gives how often it wrote. */
async function readModifyWrite(write: () => Promise<unknown>, attempts: number): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write();
      return attempt;
    } catch (error) {
      if (!MCPInfraError.isInstance(error) || error.code !== 'CONFLICT') throw error;
      assert.ok(attempt < attempts, `${attempts} writes of what was just read were refused with CONFLICT`);
    }
  }
}

async function present(store: Store, id: string): Promise<InstanceRecord> {
  const row = await store.instances.get(id);
  assert.ok(row, 'the instance is there');
  return row;
}

/** What readers may be told while others write. */
export const readCases = [
  storeCase(
    'reads/retried-updates',
    'Of twenty callers at once that each read, change and write again after a CONFLICT, all succeed in twenty tries.',
    async (store, bench) => {
      const at = await inTurn(bench);
      const { id } = await store.createInstance(exampleInstance(), silent);
      await Promise.all(
        times(20, (n) =>
          readModifyWrite(async () => {
            const row = await present(at(n), id);
            await at(n).updateInstance({ ...row, labels: { ...row.labels, [`l${n}`]: 'set' } }, silent);
          }, 20),
        ),
      );
      const row = await present(store, id);
      assert.equal(Object.keys(row.labels).length, 20, 'no change was lost');
      assert.equal(row.resourceVersion, 21, 'each write counted once');
    },
  ),
  storeCase(
    'reads/counting',
    'Callers at once that each count a row up by reading and writing it lose no count.',
    async (store, bench) => {
      const at = await inTurn(bench);
      const { id } = await store.createServer(exampleServer({ description: '0' }), silent);
      const countUp = async (n: number): Promise<void> => {
        const row = await at(n).servers.get(id);
        assert.ok(row, 'the server is there');
        await at(n).updateServer({ ...row, description: String(Number(row.description) + 1) }, silent);
      };
      await Promise.all(
        times(5, async (n) => {
          for (let round = 0; round < 4; round += 1) await readModifyWrite(() => countUp(n), 20);
        }),
      );
      assert.equal((await store.servers.get(id))?.description, '20');
    },
  ),
  storeCase(
    'reads/after-conflict',
    'Who is refused with CONFLICT finds in its next read a newer row, which can be written.',
    async (store, bench) => {
      const at = await inTurn(bench);
      const row = await store.createInstance(exampleInstance(), silent);
      await outcomesOf(
        times(20, async (n) => {
          const refusal = await at(n)
            .updateInstance({ ...row, description: `${n}` }, silent)
            .then(
              () => undefined,
              (error: unknown) => error,
            );
          if (refusal === undefined) return;
          const seen = await present(at(n), row.id);
          assert.ok(seen.resourceVersion > row.resourceVersion, 'the row that made the conflict can be read');
        }),
      ).then(({ codes }) => assert.deepEqual(codes, []));
    },
  ),
  storeCase(
    'reads/after-exists',
    'Who is refused with ALREADY_EXISTS finds what exists.',
    async (store, bench) => {
      const at = await inTurn(bench);
      const found = await outcomesOf(
        times(20, async (n) => {
          const given = exampleInstance({ name: 'wanted' });
          const { won } = await outcomesOf([at(n).createInstance(given, silent)]);
          const { items } = await at(n).instances.list({ tenant: given.tenant, name: 'wanted', limit: 9 });
          assert.equal(
            items.length,
            1,
            won.length === 1 ? 'what was created is there' : 'what exists is there',
          );
        }),
      );
      assert.deepEqual(found.codes, []);
      assert.equal(await store.instances.count({}), 1);
    },
  ),
  storeCase(
    'reads/after-write',
    'A read that begins after a write has resolved sees it, by every way of reading and while others write.',
    async (store, bench) => {
      const other = await bench.beside();
      const wrote = await outcomesOf(
        times(10, async (n) => {
          const counters = [{ name: 'instances', by: 1 }];
          const row = await store.createInstance(exampleInstance({ name: `n${n}` }), {
            events: [],
            counters,
          });
          const next = await store.updateInstance({ ...row, description: 'second' }, silent);
          assert.deepEqual(await other.instances.get(row.id), next, 'get()');
          const { items } = await other.instances.list({ slug: row.slug, limit: 2 });
          assert.deepEqual(items, [next], 'list()');
          assert.ok((await other.counters.get('instances')) > 0, 'the counter');
          await store.deleteInstance(next, silent);
          assert.equal(await other.instances.get(row.id), null, 'get() after delete');
        }),
      );
      assert.deepEqual(wrote.codes, []);
    },
  ),
  storeCase(
    'reads/never-back',
    'Reads one after the other, while others write, never show an older row than the one before.',
    async (store, bench) => {
      const other = await bench.beside();
      let row = await store.createInstance(exampleInstance(), silent);
      let isWriting = true;
      const write = async (): Promise<void> => {
        for (let n = 0; n < 40; n += 1)
          row = await store.updateInstance({ ...row, description: `${n}` }, silent);
        isWriting = false;
      };
      let newest = 0;
      const look = async (): Promise<void> => {
        const { resourceVersion } = await present(other, row.id);
        const { items } = await other.instances.list({ slug: row.slug, limit: 1 });
        for (const version of [resourceVersion, items[0]?.resourceVersion ?? 0]) {
          assert.ok(version >= newest, `version ${version} was read after version ${newest}`);
          newest = version;
        }
      };
      const read = async (): Promise<void> => {
        while (isWriting) {
          await look();
          // A store in memory answers without ever letting go of the thread, which the writer needs too.
          await nextTurn();
        }
      };
      await Promise.all([write(), read()]);
      await look();
      assert.equal(newest, 41, 'the last write is read');
    },
  ),
];
