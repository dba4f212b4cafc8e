import { expect, it } from 'vitest';
import type { Event } from '../index.js';
import { createTestInfra } from './create-test-infra.js';

const image = { dockerImageUrl: 'mcp/a' };

/** Reads into a list until the end. */
function listOf(events: AsyncIterable<Event>) {
  const read: Event[] = [];
  const done = (async () => {
    for await (const event of events) read.push(event);
  })();
  return { read, done, positions: () => read.map(({ position }) => position) };
}

it('gives what is kept after an event, then what comes, each once, until the signal', async () => {
  await using t = await createTestInfra();
  for (const name of ['a', 'b', 'c']) await t.infra.servers.register({ name, ...image });
  await t.settle();
  const leaving = new AbortController();
  const client = listOf(t.infra.events.read({ after: 1, signal: leaving.signal }));
  await t.settle();
  expect(client.positions()).toEqual([2, 3]);
  await t.infra.servers.register({ name: 'd', ...image });
  await t.settle();
  expect(client.positions()).toEqual([2, 3, 4]);
  leaving.abort();
  await client.done;
  // It comes back with what it had last.
  await t.infra.servers.register({ name: 'e', ...image });
  await t.settle();
  const again = new AbortController();
  const back = listOf(t.infra.events.read({ after: client.positions().at(-1), signal: again.signal }));
  await t.settle();
  expect(back.positions()).toEqual([5]);
  again.abort();
  await back.done;
  expect(await t.infra.events.groups.list()).toEqual([]);
});

it('begins at what comes where nothing is said, and keeps to its types and tenant', async () => {
  await using t = await createTestInfra();
  await t.infra.servers.register({ name: 'before', ...image });
  await t.settle();
  const enough = new AbortController();
  const { signal } = enough;
  const tenant = t.infra.scope({ tenant: 't' });
  const all = listOf(t.infra.events.read({ signal }));
  const own = listOf(tenant.events.read({ after: 'beginning', types: ['MCPServerCreated'], signal }));
  await t.settle();
  await t.infra.servers.register({ name: 'after', ...image });
  const { id } = await tenant.servers.register({ name: 'own', ...image });
  await tenant.servers.delete(id);
  await t.settle();
  expect(all.read.map(({ type }) => type)).toEqual([
    'MCPServerCreated',
    'MCPServerCreated',
    'MCPServerDeleted',
  ]);
  expect(own.read.map(({ data }) => 'name' in data && data.name)).toEqual(['own']);
  enough.abort();
  await t.settle();
});

it('says that what is asked for is no longer kept, or is no place', async () => {
  await using t = await createTestInfra({ eventRetentionMs: 60_000 });
  for (const name of ['a', 'b']) await t.infra.servers.register({ name, ...image });
  await t.advance(120_000);
  const late = t.infra.events.read({ after: 1 }).next();
  await expect(late).rejects.toMatchObject({ code: 'CURSOR_EXPIRED', details: { oldest: 3 } });
  expect(() => t.infra.events.read({ after: Number('x') })).toThrow(/place in the event log/u);
  expect(() => t.infra.events.read({ types: ['Nothing' as never] })).toThrow(/no event/u);
});
