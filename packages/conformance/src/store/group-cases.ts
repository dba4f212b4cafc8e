import assert from 'node:assert/strict';
import type { Store } from '@mcpinfra/core/plugin';
import { exampleLetter, timeAfter } from './example-rows.js';
import { numberAll } from './log-tail.js';
import { durableCase, storeCase } from './store-bench.js';

async function letters(store: Store, group: string, after = 0): Promise<number[]> {
  return (await store.events.deadLetters(group, { after, limit: 2 })).map(({ event }) => event.position);
}

/** How the groups of durable subscriptions are kept besides their cursors. */
export const groupCases = [
  storeCase('groups/set', 'setCursor() moves a group back and forth, and forgets it.', async (store) => {
    await store.events.setCursor('a', 7);
    assert.equal(await store.events.cursor('a'), 7);
    await store.events.setCursor('a', 3);
    assert.equal(await store.events.cursor('a'), 3, 'also back');
    await store.events.saveCursor('a', 5);
    assert.equal(await store.events.cursor('a'), 5);
    await store.events.setCursor('a', null);
    assert.equal(await store.events.cursor('a'), null);
    await store.events.setCursor('a', null);
    await store.events.saveCursor('a', 0);
    assert.equal(await store.events.cursor('a'), 0, 'a group that was forgotten begins anew');
  }),
  storeCase('groups/list', 'cursors() lists the groups whose names begin so, by name.', async (store) => {
    assert.deepEqual(await store.events.cursors(''), []);
    for (const [n, group] of ['t/b', 't/a', 'T/c', 't%/d', 't', 'tt/e'].entries())
      await store.events.saveCursor(group, n);
    await store.events.addDeadLetter('t/a', exampleLetter(9));
    await store.events.addDeadLetter('t/a', exampleLetter(11));
    assert.deepEqual(await store.events.cursors('t/'), [
      { group: 't/a', position: 1, deadLetters: 2 },
      { group: 't/b', position: 0, deadLetters: 0 },
    ]);
    assert.equal((await store.events.cursors('')).length, 6);
  }),
  storeCase(
    'groups/dead-letters',
    'Dead letters are kept by group and position, read oldest first, and removed one by one or with the group.',
    async (store) => {
      const [first, second, third] = [exampleLetter(9), exampleLetter(10), exampleLetter(11)];
      for (const letter of [third, first, second]) await store.events.addDeadLetter('a', letter);
      await store.events.addDeadLetter('b', first);
      assert.deepEqual(await letters(store, 'a'), [9, 10], 'oldest first, at most as many as asked for');
      assert.deepEqual(await letters(store, 'a', 10), [11]);
      assert.deepEqual(await store.events.deadLetters('b', { after: 0, limit: 9 }), [first]);
      await store.events.addDeadLetter('b', { ...first, tries: 20 });
      assert.deepEqual(
        (await store.events.deadLetters('b', { after: 0, limit: 9 })).map(({ tries }) => tries),
        [20],
        'one that is kept already is replaced',
      );
      await store.events.removeDeadLetter('a', 9);
      await store.events.removeDeadLetter('a', 9);
      assert.deepEqual(await letters(store, 'a'), [10, 11]);
      await store.events.saveCursor('a', 1);
      await store.events.setCursor('a', null);
      assert.deepEqual(await letters(store, 'a'), [], 'they go with their group');
      assert.deepEqual(await letters(store, 'b'), [9]);
    },
  ),
  storeCase('groups/dead-letters-stay', 'trim() leaves dead letters alone.', async (store) => {
    const letter = exampleLetter(1);
    await store.appendEvents([letter.event]);
    await numberAll(store);
    await store.events.addDeadLetter('a', letter);
    await store.events.trim(timeAfter(60_000));
    assert.deepEqual(await letters(store, 'a'), [1]);
  }),
  durableCase(
    'groups/kept',
    'Groups that were moved or forgotten, and dead letters, are so after the store was closed.',
    async (store, bench) => {
      const letter = exampleLetter(3);
      await store.events.setCursor('moved', 9);
      await store.events.setCursor('moved', 2);
      await store.events.saveCursor('gone', 2);
      await store.events.setCursor('gone', null);
      await store.events.addDeadLetter('moved', letter);
      await store.events.addDeadLetter('moved', exampleLetter(4));
      await store.events.removeDeadLetter('moved', 4);
      const { store: again } = await bench.reopen();
      assert.deepEqual(await again.events.cursors(''), [{ group: 'moved', position: 2, deadLetters: 1 }]);
      assert.deepEqual(await again.events.deadLetters('moved', { after: 0, limit: 9 }), [letter]);
    },
  ),
];
