import assert from 'node:assert/strict';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { eventOfEachType, exampleEvent, exampleEvents } from './example-events.js';
import { assertReceived, HeldHandler, Inbox } from './subscribers.js';

export const deliveryCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/delivery/every-subscriber',
    text: 'Every subscriber without a group is handed every event.',
    run: async (buses) => {
      const bus = await buses.open();
      const inboxes = [new Inbox(), new Inbox(), new Inbox()];
      for (const inbox of inboxes) await bus.subscribe({}, inbox.take);
      const events = eventOfEachType();
      await bus.publish(events);
      for (const { events: received } of inboxes)
        await buses.eventually(() => assertReceived(received, events, 'a subscriber'));
    },
  },
  {
    id: 'event-bus/delivery/types',
    text: 'A subscriber that names types is handed the events of these types and no others.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      const types = ['MCPServerCreated', 'MCPServerInstanceRemoved'] as const;
      await bus.subscribe({ types }, inbox.take);
      const events = eventOfEachType();
      await bus.publish(events);
      await buses.settle(bus);
      const wanted = events.filter(({ type }) => types.some((one) => one === type));
      await buses.eventually(() => assertReceived(inbox.events, wanted, 'the subscriber'));
    },
  },
  {
    id: 'event-bus/delivery/whole',
    text: 'An event of each type arrives as it was published, with every attribute and all of its data.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const events = [...eventOfEachType(), exampleEvent('FleetRecovered', { position: 2 ** 53 - 1 })];
      const copies = structuredClone(events);
      await bus.publish(events);
      await buses.eventually(() => assertReceived(inbox.events, copies, 'the subscriber'));
      for (const copy of copies) {
        const received = inbox.events.find(({ id }) => id === copy.id);
        assert.deepEqual(received, copy, `${copy.type} arrived changed`);
      }
    },
  },
  {
    id: 'event-bus/delivery/large-event',
    text: 'An event of 256 KB arrives whole.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const message = 'Größe '.repeat(40_000);
      const data = { part: 'store', reason: 'STORE_FAILED', message } as const;
      const event = exampleEvent('FleetDegraded', { data });
      await bus.publish([event]);
      await buses.eventually(() => assertReceived(inbox.events, [event], 'the subscriber'));
      assert.deepEqual(inbox.events[0], event);
    },
  },
  {
    id: 'event-bus/delivery/same-handler-twice',
    text: 'A handler subscribed twice is two subscribers.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      const leave = await bus.subscribe({}, inbox.take);
      await bus.subscribe({}, inbox.take);
      const first = exampleEvent();
      await bus.publish([first]);
      await buses.eventually(() => assert.equal(inbox.timesOf(first), 2));
      leave();
      const second = exampleEvent();
      await bus.publish([second]);
      await buses.settle(bus);
      await buses.eventually(() => assert.equal(inbox.timesOf(second), 1));
    },
  },
  {
    id: 'event-bus/delivery/failing-handler',
    text: 'A handler without a group that throws or rejects disturbs neither publisher nor other subscribers, and is handed what comes next.',
    run: async (buses) => {
      const bus = await buses.open();
      const seen: string[] = [];
      await bus.subscribe({}, () => {
        seen.push('throws');
        throw new assert.AssertionError({ message: 'this handler throws, as the case wants it' });
      });
      await bus.subscribe({}, async () => {
        seen.push('rejects');
        throw new assert.AssertionError({ message: 'this handler rejects, as the case wants it' });
      });
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const events = exampleEvents(2);
      for (const event of events) await bus.publish([event]);
      await buses.eventually(() => {
        assertReceived(inbox.events, events, 'the subscriber beside them');
        for (const who of ['throws', 'rejects']) {
          const calls = seen.filter((one) => one === who).length;
          assert.ok(calls >= 2, `the handler that ${who} was called ${calls} times for 2 events`);
        }
      });
    },
  },
  {
    id: 'event-bus/delivery/slow-handler',
    text: 'A handler that does not end delays no other subscriber, in a group or without.',
    run: async (buses) => {
      const bus = await buses.open();
      const held = new HeldHandler();
      await bus.subscribe({}, held.handle);
      await bus.subscribe({ group: 'slow' }, held.handle);
      const [alone, grouped] = [new Inbox(), new Inbox()];
      await bus.subscribe({}, alone.take);
      await bus.subscribe({ group: 'quick' }, grouped.take);
      const events = exampleEvents(50);
      try {
        await bus.publish(events.slice(0, 1));
        await buses.eventually(() => assert.ok(held.started >= 2, 'the slow handlers were not called'));
        await bus.publish(events.slice(1));
        await buses.eventually(() => assertReceived(alone.events, events, 'the subscriber beside it'));
        await buses.eventually(() => assertReceived(grouped.events, events, 'the other group'));
      } finally {
        held.release();
      }
    },
  },
];
