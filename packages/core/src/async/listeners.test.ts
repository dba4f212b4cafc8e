import { expect, it } from 'vitest';
import { Listeners } from './listeners.js';

it('tells a function as often as it was added, and no more than once for each taken away', () => {
  const heard: number[] = [];
  const listeners = new Listeners<number>(() => undefined);
  const listener = (value: number): void => void heard.push(value);
  const remove = listeners.add(listener);
  listeners.add(listener);
  listeners.tell(1);
  remove();
  remove();
  listeners.tell(2);
  expect(heard).toEqual([1, 1, 2]);
  expect(listeners.size).toBe(1);
});

it('tells the others what one of them throws on', () => {
  const heard: string[] = [];
  const errors: unknown[] = [];
  const listeners = new Listeners<string>((error) => errors.push(error));
  const failure = new Error('no');
  listeners.add(() => {
    throw failure;
  });
  listeners.add((value) => heard.push(value));
  listeners.tell('news');
  expect(heard).toEqual(['news']);
  expect(errors).toEqual([failure]);
});

it('tells nobody after it was cleared', () => {
  const heard: string[] = [];
  const listeners = new Listeners<string>(() => undefined);
  listeners.add((value) => heard.push(value));
  listeners.clear();
  listeners.tell('news');
  expect(heard).toEqual([]);
});
