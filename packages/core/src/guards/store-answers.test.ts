import { describe, expect, it } from 'vitest';
import { exampleInstance } from '../../test/support/rows.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { memoryStore } from '../adapters/memory-store.js';
import type { Store } from '../ports/store.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardStore } from './guarded-store.js';

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

/** A memory store, open behind its guard, some methods of which answer otherwise. */
async function storeWith(methods: Methods): Promise<Store> {
  const clock = manualClock();
  const alter = (part: object, path: string): object =>
    new Proxy(part, {
      get(target, key) {
        const name = `${path}${String(key)}`;
        if (name in methods) return methods[name] as unknown;
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'object' && value !== null) return alter(value, `${name}.`);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const store = alter(memoryStore({ clock }), '') as Store;
  const guarded = guardStore(store, { clock, logger: recordingLogger() });
  await guarded.open();
  return guarded;
}

const breach = (message: string) =>
  expect.objectContaining({
    code: 'PLUGIN_CONTRACT',
    message: expect.stringContaining(message) as string,
  }) as unknown;
const event = (position: number) => ({ id: `e${position}`, type: 'FleetDegraded', position });
const effects = { events: [] };

describe.each([
  ['nothing', undefined, 'got nothing'],
  ['a text', 'garbage', 'got "garbage"'],
  ['a number', 7, 'got 7'],
  ['an object', { foo: 1 }, 'got an object'],
  ['a list of what it keeps not', [{ foo: 1 }], 'got a list'],
])('a store that answers %s', (_, answer, got) => {
  const methods: Methods = Object.fromEntries(
    [
      ...['createServer', 'updateServer', 'createInstance', 'updateInstance', 'now'],
      ...['servers.get', 'servers.list', 'instances.get', 'instances.list', 'instances.count'],
      ...[
        'events.number',
        'events.read',
        'events.head',
        'events.cursor',
        'events.cursors',
        'events.deadLetters',
        'events.trim',
      ],
      ...['leases.acquire', 'leases.renew', 'leases.list', 'counters.get', 'counters.recount'],
    ].map((name) => [name, async () => answer]),
  );
  const row = exampleInstance();

  it.each<[string, (store: Store) => Promise<unknown>]>([
    ['createServer', (store) => store.createServer({} as never, effects)],
    ['updateServer', (store) => store.updateServer({} as never, effects)],
    ['createInstance', (store) => store.createInstance(row, effects)],
    ['updateInstance', (store) => store.updateInstance(row, effects)],
    ['now', (store) => store.now()],
    ['servers.get', (store) => store.servers.get('s')],
    ['servers.list', (store) => store.servers.list({ limit: 1 })],
    ['instances.get', (store) => store.instances.get('i')],
    ['instances.list', (store) => store.instances.list({ limit: 1 })],
    ['instances.count', (store) => store.instances.count({})],
    ['events.number', (store) => store.events.number(1)],
    ['events.read', (store) => store.events.read({ after: 0, limit: 1 })],
    ['events.head', (store) => store.events.head()],
    ['events.cursor', (store) => store.events.cursor('g')],
    ['events.cursors', (store) => store.events.cursors('')],
    ['events.deadLetters', (store) => store.events.deadLetters('g', { after: 0, limit: 1 })],
    ['events.trim', (store) => store.events.trim('2026-01-01T00:00:00.000Z')],
    ['leases.acquire', (store) => store.leases.acquire(['l'], { id: 'h', ttlMs: 1 })],
    ['leases.renew', (store) => store.leases.renew({ id: 'h', ttlMs: 1 })],
    ['leases.list', (store) => store.leases.list()],
    ['counters.get', (store) => store.counters.get('c')],
    ['counters.recount', (store) => store.counters.recount()],
  ])('to %s() is told what was expected and what came', async (name, ask) => {
    const isNumber = typeof answer === 'number';
    const mayBe = ['instances.count', 'events.head', 'events.cursor', 'events.trim', 'counters.get'];
    const asked = ask(await storeWith(methods));
    if (isNumber && mayBe.includes(name)) expect(await asked).toBe(7);
    else {
      await expect(asked).rejects.toEqual(breach(`Expected ${name}() of the store to give `));
      await expect(ask(await storeWith(methods))).rejects.toEqual(breach(got));
    }
  });
});

it('does not open a store that does not say what it is', async () => {
  await expect(storeWith({ open: async () => undefined })).rejects.toEqual(breach('its identity'));
});

it('refuses a page that is followed by itself, or by others though it is empty', async () => {
  const same = await storeWith({
    'instances.list': async () => ({ items: [exampleInstance()], nextCursor: 'c' }),
  });
  await expect(same.instances.list({ limit: 1, cursor: 'c' })).rejects.toEqual(breach('another cursor'));
  const empty = await storeWith({ 'instances.list': async () => ({ items: [], nextCursor: 'c' }) });
  await expect(empty.instances.list({ limit: 1 })).rejects.toEqual(breach('rows on a page'));
});

it('refuses events that go backwards, within an answer and between two', async () => {
  const store = await storeWith({
    'events.number': async () => [event(2), event(2)],
    'events.read': async () => [event(3), event(4)],
  });
  await expect(store.events.number(9)).rejects.toEqual(breach('each at a higher position'));
  expect(await store.events.read({ after: 2, limit: 9 })).toHaveLength(2);
  await expect(store.events.read({ after: 3, limit: 9 })).rejects.toEqual(breach('events after position 3'));
});

it.each([undefined, NaN, 6, 'seven'])(
  'refuses an expired cursor by which nobody gets on, such as one whose oldest is %s',
  async (oldest) => {
    const expired = mcpError('CURSOR_EXPIRED', 'Gone.', { details: { oldest } });
    const store = await storeWith({ 'events.read': () => Promise.reject(expired) });
    await expect(store.events.read({ after: 5, limit: 9 })).rejects.toEqual(breach('details.oldest above 6'));
  },
);

it('lets everything else have its turn between two pages', async () => {
  let position = 0;
  const store = await storeWith({ 'events.read': async () => [event(++position)] });
  const turns: number[] = [];
  setImmediate(() => turns.push(position));
  for (let after = 0; after < 50; after++) await store.events.read({ after, limit: 1 });
  expect(turns).toEqual([1]);
});
