import assert from 'node:assert/strict';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { exampleEvent, exampleEvents } from './example-events.js';
import { assertReceived, HeldHandler, Inbox } from './subscribers.js';

export const publishCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/publish/nobody-listens',
    text: 'publish() resolves when the backend has accepted the events, also when nobody subscribes.',
    run: async (buses) => {
      const bus = await buses.open();
      await buses.within('publish()', bus.publish(exampleEvents(3)));
    },
  },
  {
    id: 'event-bus/publish/no-waiting-for-handlers',
    text: 'publish() does not wait for the handlers.',
    run: async (buses) => {
      const bus = await buses.open();
      const held = new HeldHandler();
      await bus.subscribe({}, held.handle);
      await bus.subscribe({ group: 'held' }, held.handle);
      try {
        await buses.within('publish() while handlers run', bus.publish([exampleEvent()]));
        await buses.eventually(() => assert.equal(held.started, 2));
      } finally {
        held.release();
      }
    },
  },
  {
    id: 'event-bus/publish/empty-batch',
    text: 'An empty batch resolves and hands nobody anything.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      await buses.within('publish([])', bus.publish([]));
      assertReceived(inbox.events, [], 'the subscriber');
      const markers = await buses.settle(bus);
      await buses.eventually(() => assertReceived(inbox.events, markers, 'the subscriber'));
    },
  },
  {
    id: 'event-bus/publish/large-batch',
    text: 'A batch of 1,000 events arrives, every one of them.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const events = exampleEvents(1000, 'MCPServerInstanceCreated');
      await bus.publish(events);
      await buses.eventually(() => assertReceived(inbox.events, events, 'the subscriber'));
    },
  },
  {
    id: 'event-bus/publish/at-once',
    text: 'Batches published at the same time all arrive.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const batches = Array.from({ length: 20 }, () => exampleEvents(5));
      await Promise.all(batches.map((batch) => bus.publish(batch)));
      await buses.eventually(() => assertReceived(inbox.events, batches.flat(), 'the subscriber'));
    },
  },
  {
    id: 'event-bus/publish/aborted',
    text: 'publish() with a signal that is aborted already rejects with ABORTED and publishes nothing.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      await bus.subscribe({}, inbox.take);
      const publishing = bus.publish([exampleEvent()], { signal: AbortSignal.abort() });
      await rejectsWith(['ABORTED'], 'publish()', buses.within('publish()', publishing));
      const markers = await buses.settle(bus);
      await buses.eventually(() => assertReceived(inbox.events, markers, 'the subscriber'));
    },
  },
];
