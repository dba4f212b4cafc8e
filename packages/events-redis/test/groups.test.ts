import type { Event } from '@mcpinfra/core/plugin';
import { startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it } from 'vitest';
import { exampleEvent, exampleEvents, partOf, partsOf } from './support/example-event.js';
import { eventually, Fleet, inboxOf } from './support/fleet.js';

const redis = serviceOrSkip(startRedis);
const group = 'workers';

describe('a group', () => {
  it('begins at now, and goes on where it was when its workers come back', async () => {
    const fleet = new Fleet(redis().url);
    const publisher = await fleet.bus();
    await publisher.publish([exampleEvent('before')]);
    const first = await fleet.bus();
    const seen = await inboxOf(first, { group });
    await publisher.publish([exampleEvent('during')]);
    await eventually(() => partsOf(seen)).toEqual(['during']);
    await first.close();
    const missed = exampleEvents('away', 250);
    await publisher.publish(missed);
    const later = await inboxOf(await fleet.bus(), { group });
    await eventually(() => partsOf(later)).toEqual(partsOf(missed));
    expect(partsOf(seen)).toEqual(['during']);
  });

  it('shares its events among its workers', async () => {
    const fleet = new Fleet(redis().url);
    // So few at once that one of them alone cannot have all.
    const buses = [await fleet.bus({ concurrency: 2 }), await fleet.bus({ concurrency: 2 })];
    const inboxes: Event[][] = [[], []];
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    for (const [index, bus] of buses.entries()) {
      await bus.subscribe({ group }, async (event) => {
        inboxes[index]?.push(event);
        await released;
      });
    }
    const events = exampleEvents('shared', 40);
    await buses[0]!.publish(events);
    await eventually(() => inboxes.map(({ length }) => length)).toEqual([2, 2]);
    release();
    await eventually(() => partsOf(inboxes.flat())).toEqual(partsOf(events));
    await eventually(() => fleet.pending(group)).toEqual([]);
  });

  it('hands an event again that failed, while others go on', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ retryDelayMs: 20 });
    const seen: string[] = [];
    await bus.subscribe({ group }, (event) => {
      seen.push(partOf(event));
      if (partOf(event) === 'poor' && seen.filter((part) => part === 'poor').length < 4)
        throw new RangeError('no');
    });
    await bus.publish([exampleEvent('poor'), ...exampleEvents('fine', 3)]);
    await eventually(() => [...seen].sort()).toEqual([
      'fine-0',
      'fine-1',
      'fine-2',
      'poor',
      'poor',
      'poor',
      'poor',
    ]);
    expect(seen.slice(0, 4)).toContain('fine-2');
    await eventually(() => fleet.pending(group)).toEqual([]);
    expect(await fleet.deadLetters()).toEqual([]);
  });

  it('makes an event that fails too often a dead letter with its reason', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ retryDelayMs: 1, maxDeliveries: 3 });
    let calls = 0;
    await bus.subscribe({ group }, async () => {
      calls += 1;
      return Promise.reject(new RangeError(`no, ${calls}`));
    });
    await bus.publish([exampleEvent('hopeless')]);
    await eventually(() => fleet.deadLetters()).toMatchObject([{ group, deliveries: '3', reason: 'no, 3' }]);
    expect(calls).toBe(3);
    expect(await fleet.pending(group)).toEqual([]);
    const [letter] = await fleet.deadLetters();
    expect(JSON.parse(letter?.['event'] ?? '')).toMatchObject({ data: { part: 'hopeless' } });
  });

  it.each([
    ['no JSON', ['event', '{'], /cannot be read/],
    ['JSON that is no event', ['event', '{"type":"FleetRecovered"}'], /not the JSON form of a event/],
    ['other fields', ['something', 'else'], /no field "event"/],
  ])('puts an entry of %s away as a dead letter and goes on', async (_, fields, reason) => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const [inbox, alone] = [await inboxOf(bus, { group }), await inboxOf(bus)];
    await fleet.redis.xadd(fleet.events, '*', ...fields);
    await bus.publish([exampleEvent('after')]);
    await eventually(() => [partsOf(inbox), partsOf(alone)]).toEqual([['after'], ['after']]);
    await eventually(() => fleet.deadLetters()).toMatchObject([
      { reason: expect.stringMatching(reason) as string },
    ]);
    expect(await fleet.pending(group)).toEqual([]);
  });

  it('passes over an event of a type that only a newer version knows', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const inbox = await inboxOf(bus, { group });
    await fleet.redis.xadd(fleet.events, '*', 'event', JSON.stringify({ type: 'MCPServerMoved' }));
    await bus.publish([exampleEvent('after')]);
    await eventually(() => partsOf(inbox)).toEqual(['after']);
    await eventually(() => fleet.pending(group)).toEqual([]);
    expect(await fleet.deadLetters()).toEqual([]);
  });

  it('is not held up by a handler that never ends', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ closeTimeoutMs: 200 });
    const seen: string[] = [];
    await bus.subscribe({ group }, async (event) => {
      if (partOf(event) === 'stuck') await new Promise(() => {});
      seen.push(partOf(event));
    });
    await bus.publish([exampleEvent('stuck'), ...exampleEvents('fine', 300)]);
    await eventually(() => seen.length).toBe(300);
    await eventually(async () => (await fleet.pending(group)).length).toBe(1);
  });
});

describe('entries of a consumer', () => {
  it('that is dead are taken over; those of one whose handler takes long are not', async () => {
    const fleet = new Fleet(redis().url);
    const settings = { claimIdleMs: 300, closeTimeoutMs: 200 };
    const slow = await fleet.bus(settings);
    const started: string[] = [];
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const leave = await slow.subscribe({ group }, async (event) => {
      started.push(partOf(event));
      await released;
    });
    await slow.publish([exampleEvent('long')]);
    await eventually(() => started).toEqual(['long']);
    // It goes on with what it has, and reads no more.
    leave();
    const other = await fleet.bus(settings);
    const takers: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      await other.publish([exampleEvent(name)]);
      await fleet.readAsDead(group, `dead-${name}`);
      const off = await other.subscribe({ group }, (event) => void takers.push(partOf(event)));
      await eventually(() => takers).toContain(name);
      off();
    }
    expect(takers).toEqual(['one', 'two', 'three']);
    expect((await fleet.pending(group)).length).toBe(1);
    release();
    await eventually(() => fleet.pending(group)).toEqual([]);
  });

  it('that ends each process it is handed to becomes a dead letter', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ claimIdleMs: 100, maxDeliveries: 2 });
    const off = await bus.subscribe({ group }, () => {});
    off();
    await eventually(() => fleet.consumers(group)).toEqual([]);
    await bus.publish([exampleEvent('deadly')]);
    await fleet.readAsDead(group);
    const [entry] = await fleet.pending(group);
    await fleet.redis.xclaim(fleet.events, group, 'dead-too', 0, entry?.id ?? '');
    const inbox = await inboxOf(bus, { group });
    await eventually(() => fleet.deadLetters()).toMatchObject([
      { deliveries: '2', reason: 'no process that was handed it lived to acknowledge it' },
    ]);
    expect(inbox).toEqual([]);
  });
});

describe('a consumer', () => {
  it('is taken off its group when it leaves, and when it is gone and has nothing pending', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ claimIdleMs: 100 });
    const first = await inboxOf(bus, { group });
    await bus.publish([exampleEvent('first')]);
    await eventually(() => partsOf(first)).toEqual(['first']);
    expect((await fleet.consumers(group)).length).toBe(1);
    await bus.close();
    expect(await fleet.consumers(group)).toEqual([]);
    const other = await fleet.bus({ claimIdleMs: 100 });
    await other.publish([exampleEvent('left')]);
    await fleet.readAsDead(group);
    expect(await fleet.consumers(group)).toEqual(['dead']);
    const inbox = await inboxOf(other, { group });
    await eventually(() => partsOf(inbox)).toEqual(['left']);
    await eventually(() => fleet.consumers(group)).not.toContain('dead');
  });
});
