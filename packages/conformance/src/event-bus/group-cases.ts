import assert from 'node:assert/strict';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { eventOfEachType, exampleEvent, exampleEvents } from './example-events.js';
import { assertReceived, assertReceivedOnce, Inbox, RejectingHandler } from './subscribers.js';

export const groupCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/group/one-subscriber',
    text: 'In a group each event is handed to one subscriber, once.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      const group = 'share';
      for (let member = 0; member < 3; member += 1)
        await bus.subscribe({ group }, (event) => inbox.take(event));
      const events = exampleEvents(100);
      await bus.publish(events);
      const markers = await buses.settle(bus);
      await buses.eventually(() => assertReceivedOnce(inbox.events, [...events, ...markers], 'the group'));
    },
  },
  {
    id: 'event-bus/group/every-group',
    text: 'Every group is handed every event, and so are subscribers without one.',
    run: async (buses) => {
      const bus = await buses.open();
      const inboxes = [new Inbox(), new Inbox(), new Inbox()];
      const [first, second, alone] = inboxes;
      for (const [group, inbox] of [
        ['a', first],
        ['b', second],
        [undefined, alone],
      ] as const) {
        if (inbox !== undefined) await bus.subscribe({ group }, inbox.take);
      }
      const events = exampleEvents(20);
      await bus.publish(events);
      for (const inbox of inboxes)
        await buses.eventually(() => assertReceived(inbox.events, events, 'a group or subscriber'));
    },
  },
  {
    id: 'event-bus/group/types',
    text: 'A group that names types is handed the events of these types and no others.',
    run: async (buses) => {
      const bus = await buses.open();
      const inbox = new Inbox();
      const subscription = { group: 'some', types: ['GatewayCallAudited', 'FleetDegraded'] } as const;
      for (let member = 0; member < 2; member += 1)
        await bus.subscribe(subscription, (event) => inbox.take(event));
      const events = eventOfEachType();
      await bus.publish(events);
      await buses.settle(bus);
      const wanted = events.filter(({ type }) => subscription.types.some((one) => one === type));
      await buses.eventually(() => assertReceivedOnce(inbox.events, wanted, 'the group'));
    },
  },
  {
    id: 'event-bus/group/handed-again',
    text: 'A group whose handler rejects an event is handed it again until it is taken.',
    run: async (buses) => {
      const bus = await buses.open();
      let rejections = 2;
      const handler = new RejectingHandler(() => rejections-- > 0);
      await bus.subscribe({ group: 'again' }, handler.handle);
      const event = exampleEvent();
      await bus.publish([event]);
      await buses.eventually(() => assertReceived(handler.taken, [event], 'the group'));
      assert.equal(handler.refused.length, 2);
    },
  },
  {
    id: 'event-bus/group/others-go-on',
    text: 'While an event is rejected again and again the group is handed all others.',
    run: async (buses) => {
      const bus = await buses.open();
      const [poison, ...others] = [exampleEvent(), ...exampleEvents(20)];
      const handler = new RejectingHandler(({ id }) => id === poison.id);
      for (let member = 0; member < 2; member += 1)
        await bus.subscribe({ group: 'poisoned' }, (event) => handler.handle(event));
      await bus.publish([poison, ...others]);
      await buses.eventually(() => assertReceived(handler.taken, others, 'the group'));
      handler.rejects = () => false;
      await buses.eventually(() => assertReceived(handler.taken, [poison, ...others], 'the group'));
    },
  },
  {
    id: 'event-bus/group/after-a-leaver',
    text: 'What is published after a subscriber left a group is handed to those who are left.',
    run: async (buses) => {
      const bus = await buses.open();
      const [leaver, stayer] = [new Inbox(), new Inbox()];
      const leave = await bus.subscribe({ group: 'changing' }, leaver.take);
      await bus.subscribe({ group: 'changing' }, stayer.take);
      const before = exampleEvents(4);
      await bus.publish(before);
      await buses.eventually(() =>
        assertReceived([...leaver.events, ...stayer.events], before, 'the group before one left'),
      );
      leave();
      const gone = leaver.events.length;
      const after = exampleEvents(10);
      await bus.publish(after);
      await buses.eventually(() => {
        const received = stayer.events.filter(({ id }) => !before.some((event) => event.id === id));
        assertReceived(received, after, 'the subscriber that is left');
      });
      assert.equal(leaver.events.length, gone, 'the subscriber that left was handed an event');
    },
  },
  {
    id: 'event-bus/group/leaver-hands-over',
    text: 'What a subscriber rejected before it left its group is handed to those who are left.',
    run: async (buses) => {
      const bus = await buses.open();
      const leaver = new RejectingHandler();
      const leave = await bus.subscribe({ group: 'heirs' }, leaver.handle);
      const event = exampleEvent();
      await bus.publish([event]);
      await buses.eventually(() => assert.ok(leaver.refused.length > 0, 'the group was handed nothing'));
      const heir = new Inbox();
      await bus.subscribe({ group: 'heirs' }, heir.take);
      leave();
      await buses.eventually(() => assertReceived(heir.events, [event], 'the subscriber that is left'));
    },
  },
];
