import { describe, expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { mcpError, type Store } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('hands a durable subscriber every event in order, again after a failure, and later ones only then', async () => {
  await using t = await createTestInfra();
  const tries: number[] = [];
  const handled: number[] = [];
  const subscription = await t.infra.events.subscribe(
    { group: 'audit', from: 'beginning' },
    ({ position }) => {
      tries.push(position);
      if (position === 2 && tries.filter((p) => p === 2).length < 3) throw new Error('not yet');
      handled.push(position);
    },
  );
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(handled).toEqual([1]);
  expect(tries).toEqual([1, 2]);
  await t.advance(1_000);
  expect(tries).toEqual([1, 2, 2]);
  await t.advance(2_000);
  expect(handled).toEqual(t.recordedEvents().map(({ position }) => position));
  await subscription.close();
});

it('has only the subject of a failing event wait, and keeps no cursor beyond it', async () => {
  await using t = await createTestInfra();
  const handled: string[] = [];
  let broken = true;
  const subscribe = (handler: (name: string) => void) =>
    t.infra.events.subscribe(
      { group: 'audit', from: 'beginning', types: ['MCPServerInstanceCreated', 'MCPServerInstanceStopped'] },
      ({ type, data }) => {
        handler(`${data.name} ${type.slice('MCPServerInstance'.length)}`);
      },
    );
  const first = await subscribe((what) => {
    if (broken && what.startsWith('one')) throw new Error('not yet');
    handled.push(what);
  });
  const one = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.infra.instances.create({ name: 'two', jsonSpec: docker });
  await t.infra.instances.stop(one.id);
  await t.advance(3_000);
  expect(handled).toEqual(['two Created']);
  await first.close();
  // What was not handled is handed over again by the next, with what came after it.
  broken = false;
  const second = await subscribe((what) => void handled.push(what));
  await t.advance(3_000);
  expect(handled.slice(1)).toEqual(['one Created', 'two Created', 'one Stopped']);
  await second.close();
});

it('refuses a second subscription of a group in one process, until the first is closed', async () => {
  await using t = await createTestInfra();
  const subscription = await t.infra.events.subscribe({ group: 'audit' }, () => undefined);
  await expect(t.infra.events.subscribe({ group: 'audit' }, () => undefined)).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  await subscription.close();
  await (await t.infra.events.subscribe({ group: 'audit' }, () => undefined)).close();
});

it('goes on where a group stopped', async () => {
  await using t = await createTestInfra();
  const seen: number[] = [];
  const subscribe = () =>
    t.infra.events.subscribe(
      { group: 'audit', from: 'beginning' },
      ({ position }) => void seen.push(position),
    );
  const first = await subscribe();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await first.close();
  const before = seen.length;
  await t.infra.instances.stop(id);
  await t.settle();
  expect(seen).toHaveLength(before);
  const second = await subscribe();
  await t.settle();
  expect(seen).toEqual(t.recordedEvents().map(({ position }) => position));
  await second.close();
});

it('hands over only the types and labels that are asked for', async () => {
  await using t = await createTestInfra();
  const seen: string[] = [];
  await t.infra.events.subscribe(
    { group: 'g', from: 'beginning', types: ['MCPServerInstanceCreated'], labels: { team: 'a' } },
    ({ data }) => void seen.push(data.name),
  );
  await t.infra.instances.create({ name: 'one', jsonSpec: docker, labels: { team: 'a' } });
  await t.infra.instances.create({ name: 'two', jsonSpec: docker, labels: { team: 'b' } });
  await t.settle();
  expect(seen).toEqual(['one']);
});

describe('closing a subscription', () => {
  it('from inside its own handler does not wait for that handler, and tells it by its signal', async () => {
    await using t = await createTestInfra();
    const seen: string[] = [];
    const subscription = await t.infra.events.subscribe({ group: 'g' }, async ({ type }, { signal }) => {
      await subscription.close();
      seen.push(`${type} ${String(signal.aborted)}`);
    });
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    expect(seen).toEqual(['MCPServerInstanceCreated true']);
    await subscription.done;
    await (await t.infra.events.subscribe({ group: 'g' }, () => undefined)).close();
  });

  it('from elsewhere waits for the handler under way', async () => {
    await using t = await createTestInfra();
    let finish: () => void = () => undefined;
    const seen: string[] = [];
    const subscription = await t.infra.events.subscribe({ group: 'g' }, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      seen.push('handled');
    });
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    const closing = subscription.close().then(() => seen.push('closed'));
    await t.settle();
    expect(seen).toEqual([]);
    finish();
    await closing;
    expect(seen).toEqual(['handled', 'closed']);
  });

  it('waits for a handler that never ends no longer than the grace, and lets nobody else handle meanwhile', async () => {
    await using t = await createTestInfra();
    let signalled: AbortSignal | undefined;
    const subscription = await t.infra.events.subscribe({ group: 'g' }, (_event, { signal }) => {
      signalled = signal;
      return new Promise(() => undefined);
    });
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    let closed = false;
    void subscription.close().then(() => (closed = true));
    await t.advance(9_000);
    expect([closed, signalled?.aborted]).toEqual([false, true]);
    await t.advance(2_000);
    expect(closed).toBe(true);
    await expect(t.infra.events.subscribe({ group: 'g' }, () => undefined)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it('by what a handler left running after its end waits for the handler that is under way then', async () => {
    await using t = await createTestInfra();
    const finish: (() => void)[] = [];
    const seen: string[] = [];
    const subscription = await t.infra.events.subscribe({ group: 'g' }, async ({ position }) => {
      seen.push(`begin ${String(position)}`);
      if (position === 1) {
        void new Promise<void>((resolve) => finish.push(resolve))
          .then(() => subscription.close())
          .then(() => seen.push('closed'));
        return;
      }
      await new Promise<void>((resolve) => finish.push(resolve));
      seen.push('end 2');
    });
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    finish[0]?.();
    await t.settle();
    expect(seen).toEqual(['begin 1', 'begin 2']);
    finish[1]?.();
    await t.settle();
    expect(seen).toEqual(['begin 1', 'begin 2', 'end 2', 'closed']);
  });
});

it('says in health() of a handler that does not end, until it has', async () => {
  await using t = await createTestInfra();
  let finish: () => void = () => undefined;
  await t.infra.events.subscribe({ group: 'g' }, () => new Promise<void>((resolve) => (finish = resolve)));
  await t.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
  await t.advance(50_000);
  expect((await t.infra.health()).status).toBe('ok');
  await t.advance(20_000);
  expect((await t.infra.health()).degraded).toMatchObject([{ part: 'subscription:*/g' }]);
  finish();
  await t.advance(2_000);
  expect((await t.infra.health()).status).toBe('ok');
});

it('survives a listener that throws', async () => {
  await using t = await createTestInfra();
  const seen: string[] = [];
  t.infra.events.on('*', () => {
    throw new Error('ouch');
  });
  t.infra.events.on('MCPServerInstanceCreated', ({ data }) => void seen.push(data.name));
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(seen).toEqual(['one']);
  expect(() => t.infra.events.on('Nonsense' as 'MCPServerCreated', () => undefined)).toThrow(/no event/u);
});

it('lets one of two concurrent subscriptions of a group in one process through, and it alone ends it', async () => {
  await using t = await createTestInfra();
  const heard: string[] = [];
  const subscribe = (who: string) =>
    t.infra.events.subscribe({ group: 'audit' }, ({ type }) => void heard.push(`${who} ${type}`));
  const both = await Promise.allSettled([subscribe('first'), subscribe('second')]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(both[1]).toMatchObject({ reason: { code: 'ALREADY_EXISTS' } });
  await expect(subscribe('third')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.advance(2_000);
  expect(new Set(heard.map((line) => line.split(' ')[0]))).toEqual(new Set(['first']));
});

it('leaves a group free whose subscription could not begin', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const trouble = { away: false };
  const events = altered(store.events, {
    head: (options) =>
      trouble.away ? Promise.reject(mcpError('STORE_FAILED', 'It is away.')) : store.events.head(options),
  });
  await using t = await createTestInfra({ clock, store: altered<Store>(store, { events }) });
  trouble.away = true;
  const subscribe = () => t.infra.events.subscribe({ group: 'audit' }, () => undefined);
  await expect(subscribe()).rejects.toMatchObject({ code: 'STORE_FAILED' });
  trouble.away = false;
  const subscription = await subscribe();
  await subscription.close();
});
