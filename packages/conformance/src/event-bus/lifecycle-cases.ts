import assert from 'node:assert/strict';
import { MCPInfraError } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import type { Buses } from './buses.js';
import { exampleEvent } from './example-events.js';
import { assertReceived, HeldHandler, Inbox } from './subscribers.js';

export const lifecycleCases: readonly Case<Buses>[] = [
  {
    id: 'event-bus/lifecycle/before-open',
    text: 'Before open() publish() and subscribe() either work or reject with NOT_STARTED.',
    run: async (buses) => {
      const bus = buses.unopened;
      const inbox = new Inbox();
      const event = exampleEvent();
      try {
        await buses.within('subscribe()', bus.subscribe({}, inbox.take));
        await buses.within('publish()', bus.publish([event]));
      } catch (error) {
        if (MCPInfraError.isInstance(error) && error.code === 'NOT_STARTED') return;
        throw error;
      }
      await buses.eventually(() => assertReceived(inbox.events, [event], 'the subscriber'));
    },
  },
  {
    id: 'event-bus/lifecycle/healthy',
    text: 'healthy() is true on a bus whose backend answers.',
    notFor: ({ unopened }) => (unopened.healthy ? null : 'it has no healthy()'),
    run: async (buses) => {
      const bus = await buses.open();
      await bus.publish([exampleEvent()]);
      await buses.eventually(() => assert.equal(bus.healthy?.(), true));
    },
  },
  {
    id: 'event-bus/lifecycle/close-waits',
    text: 'close() waits for the handlers that run.',
    run: async (buses) => {
      const bus = await buses.open();
      const held = new HeldHandler();
      await bus.subscribe({}, held.handle);
      await bus.subscribe({ group: 'held' }, held.handle);
      await bus.publish([exampleEvent()]);
      await buses.eventually(() => assert.equal(held.started, 2));
      const closing = bus.close().then(() => held.started - held.ended);
      // Time for a close() that does not wait to show itself.
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      held.release();
      const running = await buses.within('close()', closing);
      assert.equal(running, 0, 'close() resolved while a handler ran');
    },
  },
  {
    id: 'event-bus/lifecycle/close-idempotent',
    text: 'close() can be called again, at the same time and later.',
    run: async (buses) => {
      const bus = await buses.open();
      await bus.subscribe({}, () => undefined);
      await buses.within('two close() at once', Promise.all([bus.close(), bus.close()]));
      await buses.within('close() once more', bus.close());
    },
  },
  {
    id: 'event-bus/lifecycle/close-aborted',
    text: 'close() ends when its signal is aborted, also while a handler does not.',
    run: async (buses) => {
      const bus = await buses.open();
      const held = new HeldHandler();
      await bus.subscribe({}, held.handle);
      await bus.publish([exampleEvent()]);
      await buses.eventually(() => assert.equal(held.started, 1));
      const abort = new AbortController();
      const closing = bus.close({ signal: abort.signal });
      abort.abort();
      try {
        await buses.within('an aborted close()', Promise.allSettled([closing]));
      } finally {
        held.release();
      }
    },
  },
  {
    id: 'event-bus/lifecycle/after-close',
    text: 'After close() publish() and subscribe() reject with EVENT_BUS_FAILED or ALREADY_STOPPED.',
    run: async (buses) => {
      const bus = await buses.open();
      await bus.close();
      const refused = async (what: string, call: Promise<unknown>): Promise<void> => {
        await rejectsWith(['EVENT_BUS_FAILED', 'ALREADY_STOPPED'], what, buses.within(what, call));
      };
      await refused('publish() after close()', bus.publish([exampleEvent()]));
      const subscribing = bus.subscribe({}, () => undefined);
      await refused('subscribe() after close()', subscribing);
    },
  },
];
