import type { Event } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it } from 'vitest';
import { newSchema, poolAt, startTestPostgres } from './support/postgres.js';
import { event, instance } from './support/rows.js';

const postgres = serviceOrSkip(startTestPostgres);

it('misses no event and leaves no gap, whatever is committed at once, and waits for no other database', async () => {
  const { pool, url } = postgres();
  const schema = newSchema();
  const stores = [postgresStore({ pool, schema }), postgresStore({ pool, schema })];
  await Promise.all(stores.map((store) => store.open()));
  const [writer, relay] = [stores[0]!, stores[1]!];

  // As a pg_dump of another database would: it holds back the horizon of the whole cluster.
  await pool.query('create database elsewhere');
  const elsewhere = poolAt(url.replace(/\/postgres$/, '/elsewhere'), 1);
  const long = await elsewhere.connect();
  await long.query('begin isolation level repeatable read');
  await long.query('select pg_current_xact_id()');

  const writers = 12;
  const changes = 25;
  let done = 0;
  const writing = Array.from({ length: writers }, async () => {
    let row = await writer.createInstance(instance(), { events: [] });
    for (let nth = 1; nth < changes; nth += 1) {
      const next = row;
      // Every third commits later than it was written.
      if (nth % 3 === 0) {
        row = await writer.transaction(async (inner) => {
          const written = await inner.updateInstance(next, { events: [event(next.id)] });
          await new Promise((resolve) => setTimeout(resolve, nth % 7));
          return written;
        });
      } else row = await writer.updateInstance(next, { events: [event(next.id)] });
    }
    done += 1;
  });
  const total = writers * (changes - 1);
  // Two relays at once, as after a stall: the late one does no harm.
  const relaying = [relay, writer].map(async (store) => {
    for (;;) {
      const last = done === writers;
      const numbered = await store.events.number(7);
      if (last && numbered.length === 0) return;
    }
  });
  const seen: Event[] = [];
  const reading = (async () => {
    while (seen.length < total) {
      seen.push(...(await relay.events.read({ after: seen.at(-1)?.position ?? 0, limit: 50 })));
    }
  })();
  await Promise.all([...writing, ...relaying, reading]);

  expect(seen.map(({ position }) => position)).toEqual(
    Array.from({ length: total }, (_, index) => index + 1),
  );
  expect(new Set(seen.map(({ id }) => id)).size).toBe(total);
  const versions = versionsBySubject(seen);
  expect(versions.size).toBe(writers);
  for (const inOrder of versions.values()) {
    expect(inOrder).toEqual(Array.from({ length: changes - 1 }, (_, index) => index + 2));
  }
  await long.query('rollback');
  long.release();
  await elsewhere.end();
  await Promise.all(stores.map((store) => store.close()));
}, 60_000);

function versionsBySubject(events: readonly Event[]): Map<string, number[]> {
  const versions = new Map<string, number[]>();
  for (const { subject, resourceVersion } of events) {
    versions.set(subject, [...(versions.get(subject) ?? []), resourceVersion]);
  }
  return versions;
}
