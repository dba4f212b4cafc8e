import assert from 'node:assert/strict';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { exampleEvents } from './example-events.js';
import { assertReceived, Inbox } from './subscribers.js';

export const unsubscribeCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/unsubscribe/ends-delivery',
    text: 'What is published after a subscription was ended does not reach its handler.',
    run: async (buses) => {
      const bus = await buses.open();
      const [alone, grouped] = [new Inbox(), new Inbox()];
      const leaves = [
        await bus.subscribe({}, alone.take),
        await bus.subscribe({ group: 'leaving' }, grouped.take),
      ];
      const before = exampleEvents(2);
      await bus.publish(before);
      for (const inbox of [alone, grouped])
        await buses.eventually(() => assertReceived(inbox.events, before, 'the subscriber'));
      for (const leave of leaves) leave();
      await bus.publish(exampleEvents(5));
      await buses.settle(bus);
      assertReceived(alone.events, before, 'the subscriber that left');
      assertReceived(grouped.events, before, 'the subscriber that left its group');
    },
  },
  {
    id: 'event-bus/unsubscribe/idempotent',
    text: 'Ending a subscription twice does nothing, also to another subscription of the same handler.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      const leave = await bus.subscribe({}, inbox.take);
      leave();
      await bus.subscribe({}, inbox.take);
      leave();
      leave();
      const events = exampleEvents(3);
      await bus.publish(events);
      await buses.eventually(() => assertReceived(inbox.events, events, 'the other subscription'));
    },
  },
  {
    id: 'event-bus/unsubscribe/aborted',
    text: 'subscribe() with a signal that is aborted already rejects with ABORTED and subscribes nobody.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      for (const subscription of [{}, { group: 'aborted' }]) {
        const subscribing = bus.subscribe(subscription, inbox.take, { signal: AbortSignal.abort() });
        await rejectsWith(['ABORTED'], 'subscribe()', buses.within('subscribe()', subscribing));
      }
      await bus.publish(exampleEvents(3));
      await buses.settle(bus);
      assert.deepEqual(inbox.events, []);
    },
  },
];
