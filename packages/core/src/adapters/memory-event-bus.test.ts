import { afterEach, describe, expect, it, vi } from 'vitest';
import { exampleEvent } from '../../test/support/rows.js';
import type { Event } from '../plugin.js';
import { memoryEventBus } from './memory-event-bus.js';

let position = 0;
function event(): Event {
  position += 1;
  return { ...exampleEvent(), position, resourceVersion: 1 };
}

const bus = memoryEventBus();
const offs: (() => void)[] = [];
afterEach(() => offs.splice(0).forEach((off) => off()));

describe('memoryEventBus', () => {
  it('hands every event to every subscriber that wants its type', async () => {
    const all: Event[] = [];
    const some: Event[] = [];
    offs.push(await bus.subscribe({}, (one) => void all.push(one)));
    offs.push(await bus.subscribe({ types: ['FleetDegraded'] }, (one) => void some.push(one)));
    const first = event();
    const second: Event = {
      ...event(),
      type: 'FleetDegraded',
      data: { part: 'x', reason: 'STORE_FAILED', message: '' },
    };
    await bus.publish([first, second]);
    await expect.poll(() => all).toEqual([first, second]);
    expect(some).toEqual([second]);
  });

  it('treats a handler subscribed twice as two subscribers', async () => {
    const handler = vi.fn();
    offs.push(await bus.subscribe({}, handler));
    const off = await bus.subscribe({}, handler);
    await bus.publish([event()]);
    await expect.poll(() => handler.mock.calls.length).toBe(2);
    off();
    off();
    await bus.publish([event()]);
    await expect.poll(() => handler.mock.calls.length).toBe(3);
  });

  it('hands each event to one member of a group, in turn', async () => {
    const counts = [0, 0, 0];
    for (const member of [0, 1, 2]) {
      offs.push(await bus.subscribe({ group: 'g' }, () => void (counts[member]! += 1)));
    }
    await bus.publish(Array.from({ length: 9 }, event));
    await expect.poll(() => counts).toEqual([3, 3, 3]);
  });

  it('hands the events of a group to those who are left in it, and to those who come back', async () => {
    const seen: string[] = [];
    const join = (name: string) => bus.subscribe({ group: 'changing' }, () => void seen.push(name));
    const leaveA = await join('a');
    const leaveB = await join('b');
    leaveA();
    await bus.publish([event(), event()]);
    await expect.poll(() => seen).toEqual(['b', 'b']);
    leaveB();
    leaveB();
    await bus.publish([event()]);
    offs.push(await join('c'));
    await bus.publish([event()]);
    await expect.poll(() => seen).toEqual(['b', 'b', 'c']);
  });

  it('hands an event again to a group whose member failed on it', async () => {
    const seen: string[] = [];
    let failures = 2;
    const handler = async (one: Event) => {
      seen.push(one.id);
      if (failures > 0) {
        failures -= 1;
        throw new RangeError('no');
      }
    };
    offs.push(await bus.subscribe({ group: 'again' }, handler));
    const one = event();
    await bus.publish([one]);
    await expect.poll(() => seen).toEqual([one.id, one.id, one.id]);
  });

  it('keeps the errors of handlers from the publisher and from each other', async () => {
    const handler = vi.fn();
    offs.push(
      await bus.subscribe({}, () => {
        throw new RangeError('no');
      }),
    );
    offs.push(await bus.subscribe({}, async () => Promise.reject(new RangeError('no'))));
    offs.push(await bus.subscribe({}, handler));
    await bus.publish([event()]);
    await expect.poll(() => handler.mock.calls.length).toBe(1);
  });

  it('delivers what it accepted before it closes, and accepts nothing after', async () => {
    const closing = memoryEventBus();
    await closing.open({ fleet: 'f' });
    let done = false;
    await closing.subscribe({}, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done = true;
    });
    await closing.subscribe({ group: 'hopeless' }, async () => Promise.reject(new RangeError('no')));
    await closing.publish([event()]);
    await closing.close();
    await closing.close();
    expect(done).toBe(true);
    await expect(closing.publish([event()])).rejects.toMatchObject({ code: 'EVENT_BUS_FAILED' });
  });
});

it('has a subscriber without a group bear no more than 256 events at once, and give it the others in turn', async () => {
  const own = memoryEventBus();
  let most = 0;
  const running: (() => void)[] = [];
  const handled: number[] = [];
  await own.subscribe({}, async ({ position }) => {
    handled.push(position);
    await new Promise<void>((resolve) => {
      running.push(resolve);
      most = Math.max(most, running.length);
    });
  });
  await own.publish(Array.from({ length: 1_000 }, (_, n) => ({ ...event(), position: n + 1 })));
  while (handled.length < 1_000 || running.length > 0) {
    running.splice(0, 100).forEach((end) => end());
    await new Promise((later) => setImmediate(later));
  }
  expect(most).toBe(256);
  await own.close();
});
