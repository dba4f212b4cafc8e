import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { exampleEvent, exampleEvents } from './example-events.js';
import { assertReceived, assertReceivedOnce, Inbox, RejectingHandler } from './subscribers.js';

const notFor = ({ isShared }: Buses): string | null =>
  isShared ? null : 'the harness has no another(): no two of these buses share a backend';

export const processCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/processes/reached',
    text: 'An event reaches the subscribers of every bus of its fleet, whichever bus published it.',
    notFor,
    run: async (buses) => {
      const [first, second] = [await buses.open(), await buses.openAnother()];
      const inboxes = [new Inbox(), new Inbox()];
      const events = exampleEvents(10);
      for (const [index, bus] of [first, second].entries())
        await bus.subscribe({}, inboxes[index]?.take ?? assert.fail());
      await first.publish(events.slice(0, 5));
      await second.publish(events.slice(5));
      for (const inbox of inboxes)
        await buses.eventually(() => assertReceived(inbox.events, events, 'the subscriber of one bus'));
    },
  },
  {
    id: 'event-bus/processes/group',
    text: 'A group spans the buses of a fleet: each event is handed to one subscriber of one of them, once.',
    notFor,
    run: async (buses) => {
      const [first, second] = [await buses.open(), await buses.openAnother()];
      const inbox = new Inbox();
      for (const bus of [first, second])
        await bus.subscribe({ group: 'spanning' }, (event) => inbox.take(event));
      const events = exampleEvents(100);
      await first.publish(events.slice(0, 50));
      await second.publish(events.slice(50));
      const markers = await buses.settle(second);
      await buses.eventually(() => assertReceivedOnce(inbox.events, [...events, ...markers], 'the group'));
    },
  },
  {
    id: 'event-bus/processes/closed-hands-over',
    text: 'What a group rejected on a bus that closes, and what is published then, is handed to its subscribers on other buses.',
    notFor,
    run: async (buses) => {
      const [closing, staying] = [await buses.open(), await buses.openAnother()];
      const leaver = new RejectingHandler();
      await closing.subscribe({ group: 'heirs' }, leaver.handle);
      const [first, ...later] = exampleEvents(6);
      assert.ok(first);
      await staying.publish([first]);
      await buses.eventually(() => assert.ok(leaver.refused.length > 0, 'the group was handed nothing'));
      const heir = new Inbox();
      await staying.subscribe({ group: 'heirs' }, heir.take);
      await buses.within('close()', closing.close());
      await staying.publish(later);
      await buses.eventually(() => assertReceived(heir.events, [first, ...later], 'the other bus'));
    },
  },
  {
    id: 'event-bus/processes/closed-is-silent',
    text: 'After close() no handler of the bus is called, whatever is published on others.',
    notFor,
    run: async (buses) => {
      const [closing, other] = [await buses.open(), await buses.openAnother()];
      const inbox = new Inbox();
      await closing.subscribe({}, inbox.take);
      await closing.subscribe({ group: 'silent' }, inbox.take);
      await buses.within('close()', closing.close());
      await other.publish(exampleEvents(5));
      await buses.settle(other);
      assertReceived(inbox.events, [], 'the bus that was closed');
    },
  },
  {
    id: 'event-bus/processes/fleets',
    text: 'Fleets on one backend do not hear each other, also in groups of the same name.',
    notFor,
    run: async (buses) => {
      const [ours, theirs] = [await buses.open(), await buses.openAnother(`other-${randomUUID()}`)];
      for (const group of [undefined, 'same-name']) {
        const [ourInbox, theirInbox] = [new Inbox(), new Inbox()];
        const leaves = [
          await ours.subscribe({ group }, ourInbox.take),
          await theirs.subscribe({ group }, theirInbox.take),
        ];
        const [our, their] = [exampleEvent(), exampleEvent()];
        await ours.publish([our]);
        await theirs.publish([their]);
        const [ourMarkers, theirMarkers] = [await buses.settle(ours), await buses.settle(theirs)];
        await buses.eventually(() => {
          assertReceived(ourInbox.events, [our, ...ourMarkers], 'one fleet');
          assertReceived(theirInbox.events, [their, ...theirMarkers], 'the other fleet');
        });
        for (const leave of leaves) leave();
      }
    },
  },
];
