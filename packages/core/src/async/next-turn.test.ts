import { expect, it } from 'vitest';
import { nextTurn } from './next-turn.js';

it('lets what is due run before it goes on, which a promise alone does not', async () => {
  const ran: string[] = [];
  const due = new Promise<void>((resolve) => {
    setImmediate(() => {
      ran.push('due');
      resolve();
    });
  });
  await Promise.resolve();
  expect(ran).toEqual([]);
  await nextTurn();
  expect(ran).toEqual(['due']);
  await due;
});
