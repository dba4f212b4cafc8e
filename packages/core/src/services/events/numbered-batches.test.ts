import { expect, it } from 'vitest';
import type { Event } from '../../domain/events/event.js';
import type { EventLog } from '../../ports/store.js';
import { numberedBatches } from './numbered-batches.js';

const event = (position: number): Event => ({ position }) as Event;

function logOf(next: () => readonly Event[]): EventLog {
  const log: Pick<EventLog, 'number'> = { number: async () => next() };
  return log as EventLog;
}

it('numbers batch by batch until nothing is left', async () => {
  const batches = [[event(1), event(2)], [event(3)], []];
  const numbered: number[] = [];
  for await (const batch of numberedBatches(
    logOf(() => batches.shift() ?? []),
    2,
  ))
    numbered.push(...batch.map(({ position }) => position));
  expect(numbered).toEqual([1, 2, 3]);
});

it('ends with an error where a store gives the same batch for ever', async () => {
  const all = async () => {
    for await (const _ of numberedBatches(
      logOf(() => [event(1), event(2)]),
      2,
    ));
  };
  await expect(all()).rejects.toMatchObject({
    code: 'PLUGIN_CONTRACT',
    message: 'Expected events.number() of the store to give events after position 2, got position 1 again.',
  });
});

it('lets the host live where a store has always more to number', async () => {
  let position = 0;
  const turns: number[] = [];
  setImmediate(() => turns.push(position));
  for await (const _ of numberedBatches(
    logOf(() => [event(++position)]),
    1,
  ))
    if (position > 50) break;
  expect(turns).toEqual([1]);
});
