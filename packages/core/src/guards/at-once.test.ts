import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { memoryEventBus } from '../adapters/memory-event-bus.js';
import { memoryStore } from '../adapters/memory-store.js';
import type { Dialed, Provider } from '../ports/provider.js';
import type { Store } from '../ports/store.js';
import { altered } from '../testing/altered.fixture.js';
import { createTestInfra } from '../testing/create-test-infra.js';
import { fakeProvider } from '../testing/fake-provider.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardEventBus } from './guarded-event-bus.js';
import { guardProvider } from './guarded-provider.js';
import { guardStore } from './guarded-store.js';

const rejects = (): Promise<never> => Promise.reject(new Error('the backend is away'));
const breach = (message: string): unknown =>
  expect.objectContaining({ code: 'PLUGIN_CONTRACT', message: expect.stringContaining(message) as string });

/** Rejections that nobody heard, each of which would end a process. */
function unheard(): readonly unknown[] {
  const all: unknown[] = [];
  const note = (reason: unknown) => void all.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  return all;
}

/** Node tells of rejections that nobody heard after the microtasks. */
async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function openProvider(methods: Partial<Provider>) {
  const clock = manualClock();
  const logger = recordingLogger();
  const plugin = altered(fakeProvider({ clock }) as unknown as Provider, methods);
  const provider = guardProvider(plugin, { clock, logger });
  await provider.open({ fleet: 'f', storeId: 's' } as Parameters<Provider['open']>[0]);
  return { provider, logger };
}

it('says what a watch() of a provider has to answer that answers a promise, and hears it fail', async () => {
  const lost = unheard();
  const { provider } = await openProvider({ watch: rejects as never });
  expect(() => provider.watch?.(() => undefined)).toThrow(
    breach('Expected watch() of the provider "docker" to give a function that ends it, got a promise.'),
  );
  await twoTurns();
  expect(lost).toEqual([]);
});

it('ends a watch() that begins too late', async () => {
  const told = new EventEmitter();
  const { provider } = await openProvider({
    watch: (async () => () => void told.emit('ended')) as never,
  });
  const ended = once(told, 'ended');
  expect(() => provider.watch?.(() => undefined)).toThrow();
  await ended;
});

it('says what logs() has to answer that answers a promise, and hears it fail', async () => {
  const lost = unheard();
  const { provider } = await openProvider({ logs: rejects as never });
  const read = async () => {
    const copy = { instanceId: 'i', slug: 's', revision: 1 };
    for await (const _ of provider.logs?.(copy, {}) ?? []);
  };
  await expect(read()).rejects.toEqual(breach('Expected logs() of the provider "docker" to give lines'));
  await twoTurns();
  expect(lost).toEqual([]);
});

it('says what canOverlap() has to answer that answers a promise, and hears it fail', async () => {
  const lost = unheard();
  const { provider } = await openProvider({ canOverlap: rejects as never });
  expect(() => provider.canOverlap?.({ type: 'docker' })).toThrow(breach('true or false, got a promise'));
  await twoTurns();
  expect(lost).toEqual([]);
});

it('logs what ends later than it should and fails: a watch, a subscription, a channel', async () => {
  const lost = unheard();
  const close = rejects as () => never;
  const dialed: Dialed = {
    kind: 'stdio',
    channel: { input: new PassThrough(), output: new PassThrough(), close },
  };
  const { provider, logger } = await openProvider({
    watch: () => rejects,
    dial: async () => dialed,
  });
  provider.watch?.(() => undefined)();
  const target = { secrets: async () => ({}) } as unknown as Parameters<Provider['dial']>[0];
  const opened = await provider.dial(target);
  if (opened.kind === 'stdio') opened.channel.close();
  const clock = manualClock();
  const bus = guardEventBus(altered(memoryEventBus(), { subscribe: async () => rejects as never }), {
    clock,
    logger,
  });
  await bus.open({ fleet: 'f' });
  (await bus.subscribe({}, () => undefined))();
  await twoTurns();
  expect(logger.lines.map(({ message }) => message)).toEqual([
    'Ending watch() failed',
    'Closing a channel failed',
    'Ending a subscription failed',
  ]);
  expect(lost).toEqual([]);
});

it('takes a bus for unwell whose healthy() answers a promise, and hears it fail', async () => {
  const lost = unheard();
  const bus = guardEventBus(altered(memoryEventBus(), { healthy: rejects as never }), {
    clock: manualClock(),
    logger: recordingLogger(),
  });
  await bus.open({ fleet: 'f' });
  expect(bus.healthy?.()).toBe(false);
  await twoTurns();
  expect(lost).toEqual([]);
});

it('starts on a store whose watch() answers a promise, and says so', async () => {
  const lost = unheard();
  const clock = manualClock();
  const store = altered<Store>(memoryStore({ clock }), { watch: rejects as never });
  const guarded = guardStore(store, { clock, logger: recordingLogger() });
  await guarded.open();
  expect(() => guarded.watch?.(() => undefined)).toThrow(breach('watch() of the store'));
  const other = altered<Store>(memoryStore({ clock }), { watch: rejects as never });
  await using t = await createTestInfra({ clock, store: other });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { type: 'docker', image: 'mcp/test' },
  });
  await t.advance(10_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect((await t.infra.health()).degraded).toEqual([expect.objectContaining({ part: 'watch:store' })]);
  expect(lost).toEqual([]);
});
