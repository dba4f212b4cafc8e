import { expect, it } from 'vitest';
import type { Event } from '../domain/events/event.js';
import type { Unsubscribe } from '../ports/common.js';
import type { EventBus, EventHandler } from '../ports/event-bus.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardEventBus } from './guarded-event-bus.js';

const event = { type: 'FleetRecovered', data: { part: 'store' } } as Event;
const forever = () => new Promise<never>(() => undefined);

async function setup(methods: Partial<EventBus> = {}) {
  const clock = manualClock();
  const logger = recordingLogger();
  const handlers: EventHandler[] = [];
  let left = 0;
  const bus = guardEventBus(
    {
      specificationVersion: 'v1',
      open: async () => undefined,
      close: async () => undefined,
      publish: async () => undefined,
      subscribe: async (_subscription, handler) => {
        handlers.push(handler);
        return () => {
          left++;
        };
      },
      ...methods,
    },
    { clock, logger },
  );
  await bus.open({ fleet: 'f' });
  return { clock, logger, bus, handlers, left: () => left };
}

it('bounds publishing and calls its failures what they are', async () => {
  const { clock, bus } = await setup({ publish: forever });
  const expected = expect(bus.publish([event])).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
  await clock.advance(10_000);
  await expected;
  const failing = await setup({ publish: () => Promise.reject(new Error('ECONNRESET')) });
  await expect(failing.bus.publish([event])).rejects.toMatchObject({ code: 'EVENT_BUS_FAILED' });
});

it('logs a handler that fails; only in a group does the bus get to know', async () => {
  const { bus, logger, handlers } = await setup();
  const failing = () => Promise.reject(new Error('boom'));
  await bus.subscribe({}, failing);
  await bus.subscribe({ group: 'g' }, failing);
  await handlers[0]?.(event);
  await expect(handlers[1]?.(event)).rejects.toThrow('boom');
  expect(logger.lines).toMatchObject([
    { level: 'warn', message: 'A handler of FleetRecovered failed', fields: { error: 'boom' } },
    { level: 'warn' },
  ]);
});

it('ends a subscription once, after which nothing is delivered', async () => {
  const { bus, handlers, left } = await setup();
  let handled = 0;
  const off = await bus.subscribe({}, () => {
    handled++;
  });
  await handlers[0]?.(event);
  off();
  off();
  await handlers[0]?.(event);
  expect([handled, left()]).toEqual([1, 1]);
});

it('ends a subscription that comes about too late, and delivers nothing to it', async () => {
  let finish!: (off: Unsubscribe) => void;
  let deliver: EventHandler | undefined;
  const { clock, bus } = await setup({
    subscribe: (_subscription, handler) => {
      deliver = handler;
      return new Promise((resolve) => (finish = resolve));
    },
  });
  let handled = 0;
  const expected = expect(
    bus.subscribe({}, () => {
      handled++;
    }),
  ).rejects.toMatchObject({
    code: 'PLUGIN_TIMEOUT',
  });
  await clock.advance(15_000);
  await expected;
  let left = false;
  finish(() => (left = true));
  await clock.advance(0);
  await deliver?.(event);
  expect([handled, left]).toEqual([0, true]);
});

it('says how it is where the bus can, and not well when the bus throws', async () => {
  expect((await setup()).bus).not.toHaveProperty('healthy');
  expect((await setup({ healthy: () => true })).bus.healthy?.()).toBe(true);
  const throws = () => {
    throw new Error('boom');
  };
  expect((await setup({ healthy: throws })).bus.healthy?.()).toBe(false);
});
