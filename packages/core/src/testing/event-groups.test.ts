import { describe, expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const hour = 3_600_000;

/** Two hours in which things happen that the tests below do not ask for. */
async function hoursPass(t: Awaited<ReturnType<typeof createTestInfra>>): Promise<void> {
  for (const name of ['a', 'b', 'c', 'd']) {
    await t.infra.servers.register({ name, dockerImageUrl: 'mcp/a' });
    await t.advance(hour / 2);
  }
}

describe('a subscription that hears of nothing for longer than events are kept', () => {
  it.each(['now', 'beginning'] as const)('goes on, having begun from %s by type', async (from) => {
    await using t = await createTestInfra({ eventRetentionMs: hour });
    const seen: string[] = [];
    const options = { group: 'audit', from, types: ['MCPServerInstanceCreated'] } as const;
    const first = await t.infra.events.subscribe(options, ({ data }) => void seen.push(data.name));
    await hoursPass(t);
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    expect(seen).toEqual(['one']);
    await hoursPass(t).catch(() => undefined);
    await first.close();
    await first.done;
  });

  it('goes on in a tenant in which nothing happens', async () => {
    await using t = await createTestInfra({ eventRetentionMs: hour });
    const quiet = t.infra.scope({ tenant: 'quiet' });
    const seen: string[] = [];
    const subscription = await quiet.events.subscribe({ group: 'g' }, ({ type }) => void seen.push(type));
    await hoursPass(t);
    await quiet.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    await t.settle();
    expect(seen).toEqual(['MCPServerCreated']);
    await subscription.close();
    await subscription.done;
  });
});

it('is read in parts that are passed for good, and not at all while nothing is new', async () => {
  const store = memoryStore();
  const read = store.events.read.bind(store.events);
  const reads: number[] = [];
  store.events.read = (query, options) => {
    if (query.types?.includes('FleetDegraded') === true && query.types.length === 1) reads.push(query.after);
    return read(query, options);
  };
  await using t = await createTestInfra({ store });
  await t.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
  await t.settle();
  await t.infra.events.subscribe(
    { group: 'g', from: 'beginning', types: ['FleetDegraded'] },
    () => undefined,
  );
  await t.advance(10_000);
  expect(reads).toEqual([0]);
});

describe('where a subscription begins', () => {
  it('from the beginning is the oldest event that is kept', async () => {
    await using t = await createTestInfra({ eventRetentionMs: hour });
    await hoursPass(t);
    const seen: number[] = [];
    await t.infra.events.subscribe(
      { group: 'g', from: 'beginning' },
      (event) => void seen.push(event.position),
    );
    await t.settle();
    expect(seen.at(-1)).toBe(t.recordedEvents().at(-1)?.position);
    expect(seen[0]).toBeGreaterThan(1);
  });

  it.each([NaN, -1, 1.5, 99, 'yesterday', Infinity])('is refused as %s', async (from) => {
    await using t = await createTestInfra();
    const subscribing = t.infra.events.subscribe({ group: 'g', from: from as number }, () => undefined);
    await expect(subscribing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await t.infra.events.groups.list()).toEqual([]);
  });

  it('at a position that is no longer kept is refused, and no group is left', async () => {
    await using t = await createTestInfra({ eventRetentionMs: hour });
    await hoursPass(t);
    const subscribing = t.infra.events.subscribe({ group: 'g', from: 1 }, () => undefined);
    await expect(subscribing).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(await t.infra.events.groups.list()).toEqual([]);
  });
});

describe('a group', () => {
  it('that was left longer than events are kept says how it goes on, and does so', async () => {
    await using t = await createTestInfra({ eventRetentionMs: hour });
    const subscribe = (seen: number[] = []) =>
      t.infra.events.subscribe({ group: 'g' }, ({ position }) => void seen.push(position));
    await (await subscribe()).close();
    await hoursPass(t);
    const late = await subscribe();
    await t.settle();
    await expect(late.done).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
      message: expect.stringContaining("events.groups.seek('g', 'beginning')") as string,
    });
    await t.infra.events.groups.seek('g', 'beginning');
    const seen: number[] = [];
    await subscribe(seen);
    await t.settle();
    expect(seen.at(-1)).toBe(t.recordedEvents().at(-1)?.position);
  });

  it('is listed with how far it is, in its own tenant only', async () => {
    await using t = await createTestInfra();
    await t.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    await t.settle();
    await t.infra.events.subscribe({ group: 'all', from: 'beginning' }, () => undefined);
    await (await t.infra.events.subscribe({ group: 'left', from: 0 }, () => undefined)).close();
    await t.infra.scope({ tenant: 't' }).events.subscribe({ group: 'other' }, () => undefined);
    await t.infra.servers.register({ name: 'b', dockerImageUrl: 'mcp/a' });
    await t.settle();
    const groups = await t.infra.events.groups.list();
    expect(groups).toMatchObject([
      { group: 'all', position: 2, behind: 0, deadLetters: 0 },
      { group: 'left', deadLetters: 0 },
    ]);
    expect(await t.infra.scope({ tenant: 't' }).events.groups.list()).toMatchObject([{ group: 'other' }]);
  });

  it('is moved back and forth while nobody handles it', async () => {
    await using t = await createTestInfra();
    const seen: number[] = [];
    const subscribe = () => t.infra.events.subscribe({ group: 'g' }, (e) => void seen.push(e.position));
    const first = await subscribe();
    for (const name of ['a', 'b', 'c']) await t.infra.servers.register({ name, dockerImageUrl: 'mcp/a' });
    await t.settle();
    await expect(t.infra.events.groups.seek('g', 1)).rejects.toMatchObject({ code: 'CONFLICT' });
    await first.close();
    await t.infra.events.groups.seek('g', 1);
    await (await subscribe(), t.settle());
    expect(seen).toEqual([1, 2, 3, 2, 3]);
    await expect(t.infra.events.groups.seek('nobody', 'now')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that is deleted begins anew', async () => {
    await using t = await createTestInfra();
    const seen: number[] = [];
    const subscribe = () =>
      t.infra.events.subscribe({ group: 'g', from: 'beginning' }, (e) => void seen.push(e.position));
    const first = await subscribe();
    await t.infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    await t.settle();
    await first.close();
    await t.infra.events.groups.delete('g');
    expect(await t.infra.events.groups.list()).toEqual([]);
    await t.infra.events.groups.delete('g');
    await subscribe();
    await t.settle();
    expect(seen).toEqual([1, 1]);
  });
});

describe('an event that always fails', () => {
  const poison = async (broken: () => boolean) => {
    const t = await createTestInfra();
    const handled: string[] = [];
    const subscribe = () =>
      t.infra.events.subscribe({ group: 'g', from: 'beginning' }, ({ data }) => {
        const name = 'name' in data ? data.name : '';
        if (name === 'bad' && broken()) throw new Error('never');
        handled.push(name);
      });
    return { t, handled, subscribe };
  };

  it('is set aside after ten tries, holds nothing back then, and can be had and dropped', async () => {
    const { t, handled, subscribe } = await poison(() => true);
    await using _ = t;
    const first = await subscribe();
    for (const name of ['bad', 'a', 'b', 'c']) {
      await t.infra.servers.register({ name, dockerImageUrl: 'mcp/a' });
    }
    await t.advance(10 * 60_000);
    const { groups } = t.infra.events;
    expect(await groups.list()).toMatchObject([{ group: 'g', behind: 0, deadLetters: 1 }]);
    const [letter] = await groups.deadLetters('g');
    expect(letter).toMatchObject({ event: { data: { name: 'bad' } }, tries: 10, error: 'never' });
    await first.close();
    await subscribe();
    await t.settle();
    expect(handled).toEqual(['a', 'b', 'c']);
    await groups.discard('g', letter?.event.position ?? 0);
    expect(await groups.deadLetters('g')).toEqual([]);
  });

  it('is not set aside while nothing else can be handled either: then it is the handler that is unwell', async () => {
    let broken = true;
    const { t, handled, subscribe } = await poison(() => broken);
    await using _ = t;
    await subscribe();
    await t.infra.servers.register({ name: 'bad', dockerImageUrl: 'mcp/a' });
    await t.advance(20 * 60_000);
    expect(await t.infra.events.groups.deadLetters('g')).toEqual([]);
    broken = false;
    await t.advance(60_000);
    expect(handled).toEqual(['bad']);
  });
});
