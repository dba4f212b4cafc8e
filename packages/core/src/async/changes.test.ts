import { expect, it } from 'vitest';
import { Changes } from './changes.js';

it('tells everybody who waits of a change, once', async () => {
  const changes = new Changes();
  const woken: string[] = [];
  const both = Promise.all([
    changes.next().then(() => woken.push('one')),
    changes.next().then(() => woken.push('other')),
  ]);
  changes.tell();
  await both;
  expect(woken).toEqual(['one', 'other']);

  const next = changes.next().then(() => woken.push('next'));
  await Promise.resolve();
  expect(woken).toHaveLength(2);
  changes.tell();
  await next;
});

it('lets go of who waits when its signal is aborted, before or meanwhile', async () => {
  const changes = new Changes();
  const ending = new AbortController();
  const waiting = changes.next(ending.signal);
  ending.abort();
  await waiting;
  await changes.next(ending.signal);
});

it('hears who waits again from within the same change only at the next one', async () => {
  const changes = new Changes();
  const heard: string[] = [];
  const first = changes.next().then(async () => {
    heard.push('first');
    await changes.next();
    heard.push('second');
  });
  changes.tell();
  await Promise.resolve();
  while (heard.length === 0) await Promise.resolve();
  changes.tell();
  await first;
  expect(heard).toEqual(['first', 'second']);
});
