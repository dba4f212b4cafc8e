import assert from 'node:assert/strict';
import type { Event, Store } from '@mcpinfra/core/plugin';

/** Numbers everything that is committed, in small steps, and gives what was numbered. */
export async function numberAll(store: Store): Promise<readonly Event[]> {
  const numbered: Event[] = [];
  for (;;) {
    const batch = await store.events.number(50);
    if (batch.length === 0) return numbered;
    numbered.push(...batch);
  }
}

/** The ids of all events of the log, in order, those that were not numbered yet included. */
export async function loggedIds(store: Store): Promise<readonly string[]> {
  await numberAll(store);
  const ids: string[] = [];
  let after = 0;
  for (;;) {
    const batch = await store.events.read({ after, limit: 100 });
    const last = batch.at(-1);
    if (last === undefined) return ids;
    ids.push(...batch.map((event) => event.id));
    after = last.position;
  }
}

/** Demands that the log has the positions from 1 on without a gap. Gives its ids. */
export async function gaplessIds(store: Store): Promise<readonly string[]> {
  const events = await store.events.read({ after: 0, limit: 1000 });
  assert.deepEqual(
    events.map(({ position }) => position),
    Array.from(events, (_, index) => index + 1),
    'positions begin at 1 and have no gap',
  );
  assert.equal(await store.events.head(), events.length, 'head() is the highest position');
  return events.map(({ id }) => id);
}
