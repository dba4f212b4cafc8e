import { randomUUID } from 'node:crypto';
import { type EventBusHarness, eventBusSuite } from '@mcpinfra/conformance/event-bus';
import { memoryEventBus } from '@mcpinfra/core';
import type { EventHandler } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { brokenBus, type Fault } from './support/broken-bus.js';
import { collectFailures } from './support/collect-failures.js';
import { sharedBuses } from './support/shared-buses.js';

/** The cases that fail on such buses. */
async function failuresOf(create: () => EventBusHarness): Promise<readonly string[]> {
  const { failed } = await collectFailures((register) =>
    eventBusSuite({ it: register, patienceMs: 500, create }),
  );
  return [...failed.keys()].map((id) => id.replace('event-bus/', ''));
}

/** The cases that fail on a bus that shares its backend with no other. */
const failuresOfOne = (fault: Fault) => failuresOf(() => ({ bus: brokenBus(memoryEventBus(), fault) }));

/** The cases that fail on buses that share a backend. */
const failuresOfShared = (fault: Fault) =>
  failuresOf(() => {
    const make = sharedBuses();
    const another = () => brokenBus(make(), fault);
    return { bus: another(), another };
  });

/** Breaks how handlers are called. */
const calling =
  (change: (handler: EventHandler, group: string | undefined) => EventHandler): Fault =>
  (bus) => ({
    subscribe: (subscription, handler, options) =>
      bus.subscribe(subscription, change(handler, subscription.group), options),
  });

describe('the suite of event buses catches a bus that', () => {
  it('is right but for its wrapping: nothing', async () => {
    expect(await failuresOfOne(() => ({}))).toEqual([]);
    expect(await failuresOfShared(() => ({}))).toEqual([]);
  });

  it('drops the end of a large batch', async () => {
    const fault: Fault = (bus) => ({
      publish: (events, options) => bus.publish(events.slice(0, 500), options),
    });
    expect(await failuresOfOne(fault)).toEqual(['publish/large-batch']);
  });

  it('changes an attribute on the way', async () => {
    const fault = calling((handler) => (event) => handler({ ...event, tenant: '' }));
    expect(await failuresOfOne(fault)).toEqual(['delivery/whole', 'delivery/large-event']);
  });

  it('forgets what a group rejected', async () => {
    const fault = calling((handler) => async (event) => {
      await Promise.resolve(event)
        .then(handler)
        .catch(() => undefined);
    });
    const cases = ['group/handed-again', 'group/others-go-on', 'group/leaver-hands-over'];
    expect(await failuresOfOne(fault)).toEqual(cases);
  });

  it('hands the events of a group to every subscriber of it', async () => {
    const fault: Fault = (bus) => ({
      subscribe: ({ types }, handler, options) => bus.subscribe({ types }, handler, options),
    });
    expect(await failuresOfOne(fault)).toEqual([
      'group/one-subscriber',
      'group/types',
      'group/handed-again',
      'group/others-go-on',
      'group/leaver-hands-over',
    ]);
  });

  it('hands the events of a group twice', async () => {
    const fault = calling((handler, group) => async (event) => {
      await handler(event);
      if (group !== undefined) await handler(event);
    });
    expect(await failuresOfOne(fault)).toEqual(['group/one-subscriber', 'group/types']);
  });

  it('lets handlers wait for each other', async () => {
    const fault: Fault = (bus) => {
      let before: Promise<unknown> = Promise.resolve();
      const oneByOne = calling((handler) => async (event) => {
        const run = before.then(() => handler(event));
        before = run.catch(() => undefined);
        await run;
      });
      return oneByOne(bus);
    };
    expect(await failuresOfOne(fault)).toEqual([
      'publish/no-waiting-for-handlers',
      'delivery/slow-handler',
      'lifecycle/close-waits',
    ]);
  });

  it('keeps a subscription that was ended', async () => {
    const fault: Fault = (bus) => ({
      subscribe: async (subscription, handler, options) => {
        await bus.subscribe(subscription, handler, options);
        return () => undefined;
      },
    });
    expect(await failuresOfOne(fault)).toEqual([
      'delivery/same-handler-twice',
      'group/after-a-leaver',
      'unsubscribe/ends-delivery',
    ]);
  });

  it('closes while handlers run', async () => {
    const fault: Fault = (bus) => ({ close: async () => void bus.close() });
    expect(await failuresOfOne(fault)).toEqual(['lifecycle/close-waits']);
  });

  it('hangs in close() while a handler does', async () => {
    const fault: Fault = (bus) => ({ close: () => bus.close() });
    expect(await failuresOfOne(fault)).toEqual(['lifecycle/close-aborted']);
  });

  it('drops silently what it is given before it is open', async () => {
    const fault: Fault = (bus) => {
      let opened = false;
      return {
        open: async () => void (opened = true),
        publish: async (events, options) => {
          if (opened) await bus.publish(events, options);
        },
      };
    };
    expect(await failuresOfOne(fault)).toEqual(['lifecycle/before-open']);
  });

  it('mixes the fleets of one backend', async () => {
    const fault: Fault = (bus) => ({ open: () => bus.open({ fleet: 'the only one' }) });
    expect(await failuresOfShared(fault)).toEqual(['processes/fleets']);
  });

  it('makes a group of its own in each process', async () => {
    const fault: Fault = (bus) => {
      const own = randomUUID();
      return {
        subscribe: ({ group, types }, handler, options) =>
          bus.subscribe({ group: group && `${group} ${own}`, types }, handler, options),
      };
    };
    expect(await failuresOfShared(fault)).toEqual(['processes/group', 'processes/closed-hands-over']);
  });

  it('goes on handing over after it was closed', async () => {
    const fault: Fault = () => ({ close: async () => undefined });
    expect(await failuresOfShared(fault)).toEqual([
      'processes/closed-is-silent',
      'lifecycle/close-waits',
      'lifecycle/after-close',
    ]);
  });

  it('reaches only the subscribers of its own process', async () => {
    const create = () => ({ bus: memoryEventBus(), another: memoryEventBus });
    expect(await failuresOf(create)).toEqual(['processes/reached', 'processes/closed-hands-over']);
  });
});
