import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { InstanceQuery, InstanceRecord, Store } from '@mcpinfra/core/plugin';
import { exampleInstance, exampleServer } from './example-rows.js';
import { storeCase } from './store-bench.js';

type Filter = Omit<InstanceQuery, 'limit' | 'cursor'>;

const silent = { events: [] };
const tagged = exampleServer({ tags: ['x', 'y'] });
const half = exampleServer({ tags: ['x'] });

/** Instances that differ in everything a query can name. */
async function seed(store: Store): Promise<readonly InstanceRecord[]> {
  await store.createServer(tagged, silent);
  await store.createServer(half, silent);
  const variants: Partial<InstanceRecord>[] = [
    { name: 'plain' },
    { name: 'a_b', labels: { team: 'a', 'io.x/y': "it's" } },
    { name: 'aXb', labels: { team: 'a', tier: 'b' } },
    { name: 'plain', tenant: 'a', slug: 'plain-a' },
    { name: 'other', tenant: 'a', status: 'running', desiredState: 'stopped' },
    { name: 'url', jsonSpec: { type: 'url' }, status: 'running' },
    { name: 'failed', status: 'failed', labels: { '': '' } },
    { name: 'tagged', serverSpecId: tagged.id, jsonSpec: { type: 'process' } },
    { name: 'half', serverSpecId: half.id },
    { name: 'orphan', serverSpecId: randomUUID() },
    { name: 'tagged', tenant: 'b', serverSpecId: tagged.id, status: 'failed', labels: { team: 'a' } },
  ];
  const rows: InstanceRecord[] = [];
  for (const change of variants) rows.push(await store.createInstance(exampleInstance(change), silent));
  return rows;
}

/** Demands that list and count agree with the rows that match. */
function filterCase(id: string, text: string, wanted: readonly [Filter, (row: InstanceRecord) => boolean][]) {
  return storeCase(`instance-queries/${id}`, text, async (store) => {
    const rows = await seed(store);
    for (const [query, matches] of wanted) {
      const expected = rows.filter(matches);
      assert.ok(expected.length < rows.length, 'the query leaves something out');
      const shown = await store.instances.list({ ...query, limit: 99 });
      const ids = (some: readonly InstanceRecord[]): string[] => some.map((row) => row.id).toSorted();
      assert.deepEqual(ids(shown.items), ids(expected), `instances of ${JSON.stringify(query)}`);
      const count = await store.instances.count(query);
      assert.equal(count, expected.length, `count of ${JSON.stringify(query)}`);
    }
  });
}

/** Which instances a query gives. */
export const instanceQueryCases = [
  filterCase('tenant', 'A tenant is given its own instances only.', [
    [{ tenant: 'a' }, (row) => row.tenant === 'a'],
    [{ tenant: '' }, (row) => row.tenant === ''],
    [{ tenant: 'nobody' }, () => false],
  ]),
  filterCase('name', 'A name is compared as a whole and as it is written.', [
    [{ name: 'plain' }, (row) => row.name === 'plain'],
    [{ name: 'a_b' }, (row) => row.name === 'a_b'],
    [{ name: 'a%' }, () => false],
    [{ name: 'plain', tenant: 'a' }, (row) => row.name === 'plain' && row.tenant === 'a'],
  ]),
  filterCase('slug', 'A slug names one instance.', [
    [{ slug: 'plain-a' }, (row) => row.slug === 'plain-a'],
    [{ slug: 'plain-a', tenant: 'b' }, () => false],
    [{ slug: 'plain' }, () => false],
  ]),
  filterCase('labels', 'Every label must be there with the value asked for.', [
    [{ labels: { team: 'a' } }, (row) => row.labels['team'] === 'a'],
    [{ labels: { team: 'a', tier: 'b' } }, (row) => row.name === 'aXb'],
    [{ labels: { 'io.x/y': "it's" } }, (row) => row.name === 'a_b'],
    [{ labels: { '': '' } }, (row) => row.labels[''] === ''],
    [{ labels: { toString: 'a' } }, () => false],
  ]),
  filterCase('tags', 'Every tag must be one of the server that the instance was made of.', [
    [{ tags: ['x'] }, (row) => row.serverSpecId === tagged.id || row.serverSpecId === half.id],
    [{ tags: ['y', 'x'] }, (row) => row.serverSpecId === tagged.id],
    [{ tags: ['x', 'no'] }, () => false],
  ]),
  storeCase('instance-queries/new-tags', 'Tags are those that the server has now.', async (store) => {
    await seed(store);
    const server = await store.servers.get(tagged.id);
    assert.ok(server, 'the server is there');
    await store.updateServer({ ...server, tags: ['z'] }, silent);
    assert.equal(await store.instances.count({ tags: ['y'] }), 0, 'the old tag is no longer found');
    assert.equal(await store.instances.count({ tags: ['z'] }), 2, 'the new tag is found');
  }),
  filterCase('status', 'The status must be one of those asked for.', [
    [{ status: ['running'] }, (row) => row.status === 'running'],
    [{ status: ['failed', 'running'] }, (row) => row.status === 'failed' || row.status === 'running'],
    [{ status: ['deleting'] }, () => false],
  ]),
  filterCase('desired-state', 'The desired state must be the one asked for.', [
    [{ desiredState: 'stopped' }, (row) => row.desiredState === 'stopped'],
    [{ desiredState: 'running' }, (row) => row.desiredState === 'running'],
  ]),
  filterCase('type', 'The type of the json_spec must be the one asked for.', [
    [{ type: 'url' }, (row) => row.jsonSpec.type === 'url'],
    [{ type: 'docker' }, (row) => row.jsonSpec.type === 'docker'],
  ]),
  filterCase('server', 'The server must be the one asked for, whatever the form of its id.', [
    [{ serverSpecId: tagged.id }, (row) => row.serverSpecId === tagged.id],
    [{ serverSpecId: 'no such id' }, () => false],
  ]),
  filterCase('together', 'All fields of a query must match.', [
    [
      {
        tenant: 'b',
        name: 'tagged',
        labels: { team: 'a' },
        tags: ['y'],
        status: ['failed'],
        desiredState: 'running',
        type: 'docker',
        serverSpecId: tagged.id,
      },
      (row) => row.name === 'tagged' && row.tenant === 'b',
    ],
    [{ tenant: 'a', status: ['running'], desiredState: 'running' }, () => false],
    [{ type: 'process', tags: ['x'] }, (row) => row.jsonSpec.type === 'process'],
  ]),
  storeCase(
    'instance-queries/all',
    'A query without fields gives and counts every instance.',
    async (store) => {
      const rows = await seed(store);
      assert.equal((await store.instances.list({ limit: 99 })).items.length, rows.length);
      assert.equal(await store.instances.count({}), rows.length);
    },
  ),
];
