import assert from 'node:assert/strict';
import type { MCPServer, ServerQuery, Store } from '@mcpinfra/core/plugin';
import { exampleServer } from './example-rows.js';
import { storeCase } from './store-bench.js';

type Filter = Omit<ServerQuery, 'limit' | 'cursor'>;

/** Servers that differ in everything a query can name. */
async function seed(store: Store): Promise<readonly MCPServer[]> {
  const variants: Partial<MCPServer>[] = [
    { name: 'plain' },
    { name: 'plain', version: '2' },
    { name: 'a_b', labels: { team: 'a', 'io.x/y': "it's" } },
    { name: 'aXb', labels: { team: 'a', tier: 'b' } },
    { name: 'a%b', labels: {}, tags: [] },
    { name: 'tagged', tags: ['x', 'y', 'files'] },
    { name: 'half', tags: ['x'], status: 'draft' },
    { name: 'own', tenant: 'a', isPublic: false },
    { name: 'shown', tenant: 'a', isPublic: true },
    { name: 'hidden', tenant: 'b', isPublic: false, status: 'disabled' },
    { name: 'public', tenant: 'b', isPublic: true, status: 'deprecated', labels: { team: 'b' } },
    { name: 'plain', tenant: 'b', isPublic: false, labels: { '': '' }, tags: ['{', ',', '"'] },
  ];
  const rows: MCPServer[] = [];
  for (const change of variants) rows.push(await store.createServer(exampleServer(change), { events: [] }));
  return rows;
}

/** Demands that a query gives the rows of these names, and that it leaves some out. */
function filterCase(id: string, text: string, wanted: readonly [Filter, (row: MCPServer) => boolean][]) {
  return storeCase(`server-queries/${id}`, text, async (store) => {
    const rows = await seed(store);
    for (const [query, matches] of wanted) {
      const shown = await store.servers.list({ ...query, limit: 99 });
      const expected = rows.filter(matches);
      assert.ok(expected.length < rows.length, 'the query leaves something out');
      const ids = (some: readonly MCPServer[]): string[] => some.map((row) => row.id).toSorted();
      assert.deepEqual(ids(shown.items), ids(expected), `servers of ${JSON.stringify(query)}`);
    }
  });
}

/** Which servers a query gives. */
export const serverQueryCases = [
  filterCase('tenant', 'A tenant is given its own servers and the public ones of others.', [
    [{ tenant: 'a' }, (row) => row.tenant === 'a' || row.isPublic],
    [{ tenant: '' }, (row) => row.tenant === '' || row.isPublic],
    [{ tenant: 'nobody' }, (row) => row.isPublic],
  ]),
  filterCase('name', 'A name is compared as a whole and as it is written.', [
    [{ name: 'plain' }, (row) => row.name === 'plain'],
    [{ name: 'a_b' }, (row) => row.name === 'a_b'],
    [{ name: 'a%' }, () => false],
    [{ name: 'PLAIN' }, () => false],
  ]),
  filterCase('version', 'A version is compared as a whole.', [
    [{ version: '2' }, (row) => row.version === '2'],
    [{ version: '1' }, () => false],
  ]),
  filterCase('labels', 'Every label must be there with the value asked for.', [
    [{ labels: { team: 'a' } }, (row) => row.labels['team'] === 'a'],
    [{ labels: { team: 'a', tier: 'b' } }, (row) => row.name === 'aXb'],
    [{ labels: { 'io.x/y': "it's" } }, (row) => row.name === 'a_b'],
    [{ labels: { '': '' } }, (row) => row.labels[''] === ''],
    [{ labels: { team: '' } }, () => false],
    [{ labels: { toString: 'a' } }, () => false],
  ]),
  filterCase('tags', 'Every tag must be there.', [
    [{ tags: ['x'] }, (row) => row.tags.includes('x')],
    [{ tags: ['y', 'x'] }, (row) => row.name === 'tagged'],
    [{ tags: ['"', ',', '{'] }, (row) => row.tags.includes('{')],
    [{ tags: ['x', 'no'] }, () => false],
  ]),
  filterCase('status', 'The status must be one of those asked for.', [
    [{ status: ['draft'] }, (row) => row.status === 'draft'],
    [{ status: ['disabled', 'deprecated'] }, (row) => ['disabled', 'deprecated'].includes(row.status)],
  ]),
  filterCase('together', 'All fields of a query must match.', [
    [
      {
        tenant: 'b',
        name: 'public',
        version: '1.0.0',
        labels: { team: 'b' },
        tags: ['files'],
        status: ['deprecated'],
      },
      (row) => row.name === 'public',
    ],
    [{ tenant: 'a', name: 'plain' }, (row) => row.name === 'plain' && row.tenant === ''],
    [{ tenant: 'b', name: 'own' }, () => false],
  ]),
];
