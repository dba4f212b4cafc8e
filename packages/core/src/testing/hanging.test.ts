import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  createMCPInfra,
  memoryEventBus,
  memoryStore,
  type MCPInfra,
  type MCPInfraOptions,
} from '../index.js';
import { mcpError, type Provider, type ProviderContext, type Store } from '../plugin.js';
import { fakeProvider } from './fake-provider.js';
import { type ManualClock, manualClock } from './manual-clock.js';
import { local } from './fake-kinds.fixture.js';
import { hangs, untilSettled } from './until-settled.fixture.js';
// What is loaded when it is needed takes time of no clock.
import '../runtime/doctor.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** An object with some of its methods replaced, in the objects that it consists of too. */
function altered<T extends object>(whole: T, methods: Readonly<Record<string, unknown>>): T {
  return new Proxy(whole, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return methods[key as string];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A store that answers nothing any more once it is told so. */
function hangingStore(clock: ManualClock): { readonly store: Store; hang(): void; goOn(): void } {
  let away = false;
  const wrap = <T extends object>(whole: T): T =>
    new Proxy(whole, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'object' && value !== null) return wrap(value);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown =>
          away && key !== 'watch' ? hangs() : Reflect.apply(value, target, args);
      },
    });
  return {
    store: wrap(memoryStore({ clock })),
    hang: () => (away = true),
    goOn: () => (away = false),
  };
}

function infraOf(options: MCPInfraOptions & { readonly clock: ManualClock }) {
  const infra = createMCPInfra(options);
  onTestFinished(async () => {
    await untilSettled(options.clock, infra.stop());
  });
  return infra;
}

/** Starts an infra, moving the clock as far as that takes. */
async function started(infra: MCPInfra, clock: ManualClock): Promise<void> {
  const starting = infra.start();
  await untilSettled(clock, starting);
  await starting;
}

// Modules are read on first use, in real time that no clock here knows of.
beforeAll(async () => {
  const warm = createMCPInfra({ providers: [fakeProvider()] });
  await warm.start();
  const { id } = await warm.instances.create({ name: 'warm', jsonSpec: docker });
  await warm.instances.waitUntilReady(id);
  await warm.stop();
});

describe.each(['open', 'placement'])('a provider whose %s() hangs', (method) => {
  it('holds up neither the start nor the instances of others, and is told as degraded', async () => {
    const clock = manualClock();
    const process = fakeProvider({ ...local, clock });
    const sick = altered(fakeProvider({ clock }), { [method]: hangs });
    const infra = infraOf({ clock, providers: [sick, process] as readonly Provider[] });
    expect(await untilSettled(clock, infra.start())).toBeLessThanOrEqual(2_000);
    const { id } = await infra.instances.create({
      name: 'one',
      jsonSpec: { type: 'local', command: ['server'] },
    });
    const running = infra.instances.waitUntilReady(id);
    expect(await untilSettled(clock, running)).toBeLessThanOrEqual(1_500);
    const degraded: string[] = [];
    infra.events.on('FleetDegraded', ({ data }) => void degraded.push(data.part));
    for (let second = 0; second < 120; second++) await clock.advance(1_000);
    expect(degraded).toEqual(['provider:docker']);
    expect(await infra.health()).toMatchObject({
      status: 'degraded',
      degraded: [{ part: 'provider:docker' }],
      instances: { running: 1 },
    });
  });
});

it('refuses a wrong configuration beside a provider that hangs, and starts once it is mended', async () => {
  const clock = manualClock();
  let wrong = true;
  const process = fakeProvider({ ...local, clock });
  const picky = altered(process, {
    open: async (...args: Parameters<Provider['open']>) => {
      if (wrong) throw mcpError('INVALID_OPTIONS', 'The directory does not exist.');
      await process.open(...args);
    },
  });
  const sick = altered(fakeProvider({ clock }), { open: hangs });
  const infra = infraOf({ clock, providers: [sick, picky] as readonly Provider[] });
  const refused = infra.start();
  expect(await untilSettled(clock, refused)).toBeLessThanOrEqual(2_000);
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  expect((await infra.health()).status).toBe('stopped');
  wrong = false;
  await started(infra, clock);
  const { id } = await infra.instances.create({
    name: 'one',
    jsonSpec: { type: 'local', command: ['server'] },
  });
  expect(await untilSettled(clock, infra.instances.waitUntilReady(id))).toBeLessThanOrEqual(1_500);
});

describe('stop()', () => {
  it('ends a start that hangs', async () => {
    const clock = manualClock();
    const store = altered(memoryStore({ clock }), { open: hangs });
    const infra = createMCPInfra({ clock, store, providers: [fakeProvider({ clock })] });
    const starting = infra.start();
    starting.catch(() => undefined);
    await clock.advance(1_000);
    expect(await untilSettled(clock, infra.stop())).toBeLessThanOrEqual(30_000);
    await expect(starting).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it.each(['provider', 'event-bus', 'store', 'handler'])(
    'ends within its time and says what did not, where the %s hangs',
    async (what) => {
      const clock = manualClock();
      const { store, hang } = hangingStore(clock);
      const bus = memoryEventBus();
      const fake = fakeProvider({ clock });
      const infra = createMCPInfra({
        clock,
        store,
        events: what === 'event-bus' ? altered(bus, { close: hangs }) : bus,
        providers: [what === 'provider' ? altered(fake, { close: hangs }) : fake],
      });
      await started(infra, clock);
      if (what === 'handler') await infra.events.subscribe({ group: 'g', from: 'beginning' }, hangs);
      await infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
      await clock.advance(1_000);
      if (what === 'store') hang();
      const stopping = infra.stop({ timeoutMs: 20_000 });
      expect(await untilSettled(clock, stopping)).toBeLessThanOrEqual(20_000);
      const parts = (await stopping).unclosed.map(({ part }) => part);
      const expected = { provider: 'provider:docker', handler: 'subscription:*/g' }[what] ?? what;
      expect(parts).toContain(expected);
      if (what !== 'store') expect(parts).toEqual([expected]);
      expect(clock.pending).toBe(0);
    },
  );

  it('gives leases back before it waits for what hangs', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    const kept = altered(store, { close: async () => undefined });
    const fake = altered(fakeProvider({ clock }), { close: hangs });
    const infra = createMCPInfra({ clock, store: kept, providers: [fake] });
    await started(infra, clock);
    await clock.advance(1_000);
    expect(await store.leases.list()).not.toEqual([]);
    const stopping = infra.stop();
    await clock.advance(500);
    expect(await store.leases.list()).toEqual([]);
    await untilSettled(clock, stopping);
  });
});

it('gives the leases of instances back before a handler that never ends is waited for', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const kept = altered(store, { close: async () => undefined });
  const infra = createMCPInfra({ clock, store: kept, providers: [fakeProvider({ clock })] });
  await started(infra, clock);
  await infra.events.subscribe({ group: 'g', from: 'beginning' }, hangs);
  await infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
  await clock.advance(1_000);
  const stopping = infra.stop();
  await clock.advance(500);
  expect((await store.leases.list()).map(({ name }) => name)).toEqual(['group:*/g']);
  await untilSettled(clock, stopping);
  expect(await store.leases.list()).toEqual([]);
});

it('stops when it is told to by a handler, and waits for that no longer than for any other part', async () => {
  const clock = manualClock();
  const infra = createMCPInfra({ clock, providers: [fakeProvider({ clock })] });
  await started(infra, clock);
  const stopped = new Promise((resolve, reject) => {
    void infra.events.subscribe({ group: 'g', from: 'beginning' }, async () => {
      await infra.stop().then(resolve, reject);
    });
  });
  await infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
  expect(await untilSettled(clock, stopped)).toBeLessThanOrEqual(1_000);
  expect(await stopped).toEqual({ unclosed: [] });
});

describe('health()', () => {
  it('answers within two seconds while the store is away, and says so', async () => {
    const clock = manualClock();
    const { store, hang, goOn } = hangingStore(clock);
    const infra = infraOf({ clock, store, providers: [fakeProvider({ clock })] });
    await started(infra, clock);
    expect((await infra.health()).status).toBe('ok');
    hang();
    const asked = infra.health();
    expect(await untilSettled(clock, asked)).toBeLessThanOrEqual(2_000);
    expect(await asked).toMatchObject({ status: 'degraded', degraded: [{ part: 'store' }], instances: {} });
    const lines = infra.doctor();
    expect(await untilSettled(clock, lines)).toBeLessThanOrEqual(10_000);
    expect((await lines).find(({ name }) => name === 'store')).toMatchObject({ ok: false });
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    goOn();
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    expect(await infra.health()).toMatchObject({ status: 'ok', degraded: [] });
    const told = await store.events.read({ after: 0, limit: 100 });
    const types = told.map(({ type }) => type).filter((type) => type.startsWith('Fleet'));
    expect(types.join().replaceAll('FleetDegraded,FleetRecovered', 'pair')).toMatch(/^(pair,?)*$/u);
  });

  it('says in a process that only reads that its bus is away', async () => {
    const clock = manualClock();
    const bus = altered(memoryEventBus(), { healthy: () => false });
    const infra = infraOf({ clock, events: bus, roles: ['control'], providers: [fakeProvider({ clock })] });
    await started(infra, clock);
    await clock.advance(3_000);
    expect(await infra.health()).toMatchObject({ status: 'degraded', degraded: [{ part: 'event-bus' }] });
    const lines = await infra.doctor();
    expect(lines.find(({ name }) => name === 'event-bus')).toMatchObject({ ok: false });
  });

  it('says what a provider does not hear of by itself', async () => {
    const clock = manualClock();
    const fake = fakeProvider({ clock });
    const contexts: ProviderContext[] = [];
    let lists = 0;
    const engine = altered(fake, {
      open: async (context: ProviderContext) => {
        contexts.push(context);
        await fake.open(context);
      },
      list: async (options?: object) => {
        lists += 1;
        return fake.list(options);
      },
    });
    const infra = infraOf({ clock, providers: [engine] });
    await started(infra, clock);
    await clock.advance(10_000);
    const listsBefore = lists;
    contexts[0]?.report?.('events', false, 'The stream broke.');
    await clock.advance(10_000);
    expect((await infra.health()).degraded).toMatchObject([
      { part: 'provider:docker/events', message: 'The stream broke.' },
    ]);
    // Whoever no longer hears of an engine looks whether it is there at all.
    expect(lists).toBe(listsBefore + 1);
    contexts[0]?.report?.('events', true);
    expect((await infra.health()).status).toBe('ok');
  });

  it('says of a subscription that its handler fails, and no more once it does not', async () => {
    const clock = manualClock();
    let fails = true;
    const infra = infraOf({ clock, providers: [fakeProvider({ clock })] });
    await started(infra, clock);
    await infra.events.subscribe({ group: 'g' }, () => {
      if (fails) throw new Error('no');
    });
    await infra.servers.register({ name: 'a', dockerImageUrl: 'mcp/a' });
    for (let second = 0; second < 20; second++) await clock.advance(1_000);
    expect(await infra.health()).toMatchObject({ degraded: [{ part: 'subscription:*/g' }] });
    fails = false;
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    expect((await infra.health()).status).toBe('ok');
  });
});

it('keeps its leases while a provider that ends with its process does not list', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const sick = altered(fakeProvider({ ...local, clock }), { list: hangs });
  const infra = infraOf({ clock, store, providers: [sick] });
  await started(infra, clock);
  // Another worker that reaches the same place: its share would be given away, were that not bound.
  await store.leases.acquire(['fake:process/member/other'], { id: 'other', ttlMs: 10_000_000 });
  for (let second = 0; second < 60; second++) await clock.advance(1_000);
  const mine = (await store.leases.list()).filter(({ holderId }) => holderId !== 'other');
  expect(mine.filter(({ name }) => /\/\d+$/u.test(name))).toHaveLength(16);
});

it('tells one outage of an engine that hangs by one event at its beginning and one at its end', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  let away = false;
  const fake = fakeProvider({ clock });
  const orHang =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      away ? hangs() : call(...args);
  const engine = altered(fake, {
    placement: orHang((o) => fake.placement(o as object)),
    list: orHang((o) => fake.list(o as object)),
    observe: orHang((c, o) => fake.observe(c as never, o as object)),
    ensureRunning: orHang((c, o) => fake.ensureRunning(c as never, o as object)),
  });
  const infra = infraOf({ clock, store, providers: [engine] });
  await started(infra, clock);
  for (const name of ['a', 'b', 'c']) await infra.instances.create({ name, jsonSpec: docker });
  for (let second = 0; second < 5; second++) await clock.advance(1_000);
  away = true;
  fake.crash('a');
  for (let second = 0; second < 600; second++) await clock.advance(1_000);
  expect((await infra.health()).degraded.map(({ part }) => part)).toContain('provider:docker');
  away = false;
  for (let second = 0; second < 300; second++) await clock.advance(1_000);
  expect(await infra.health()).toMatchObject({ status: 'ok', degraded: [], instances: { running: 3 } });
  const told = await store.events.read({ after: 0, limit: 500, types: ['FleetDegraded', 'FleetRecovered'] });
  expect(told.map(({ type }) => type)).toEqual(['FleetDegraded', 'FleetRecovered']);
});

it('takes one copy that its engine cannot look at for no outage of the engine', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const fake = fakeProvider({ clock });
  const sick = new Set<string>();
  const engine = altered(fake, {
    observe: async (...[copy, options]: Parameters<Provider['observe']>) => {
      if (sick.has(copy.instanceId)) throw mcpError('PROVIDER_FAILED', 'The engine knows no state of it.');
      return fake.observe(copy, options);
    },
  });
  const infra = infraOf({ clock, store, providers: [engine] });
  await started(infra, clock);
  for (const name of ['a', 'b']) {
    const { id } = await infra.instances.create({ name, jsonSpec: docker });
    if (name === 'a') sick.add(id);
  }
  for (let second = 0; second < 600; second++) await clock.advance(1_000);
  const told = await store.events.read({ after: 0, limit: 500, types: ['FleetDegraded', 'FleetRecovered'] });
  expect(told).toEqual([]);
});

it('tells the end of an outage that a process which is gone told the beginning of', async () => {
  const clock = manualClock();
  const store = altered(memoryStore({ clock }), { close: async () => undefined });
  let identity: ReturnType<Store['open']> | undefined;
  const shared = altered(store, { open: () => (identity ??= store.open()) });
  let away = true;
  const join = () => {
    const fake = fakeProvider({ clock });
    const engine = altered(fake, {
      placement: async () => {
        if (away) throw mcpError('PLACEMENT_UNREACHABLE', 'The engine does not answer.');
        return fake.placement();
      },
    });
    return createMCPInfra({ clock, store: shared, providers: [engine] });
  };
  const first = join();
  await started(first, clock);
  for (let second = 0; second < 20; second++) await clock.advance(1_000);
  await untilSettled(clock, first.stop());
  const second = join();
  onTestFinished(async () => {
    await untilSettled(clock, second.stop());
  });
  await started(second, clock);
  for (let passed = 0; passed < 30; passed++) await clock.advance(1_000);
  away = false;
  for (let passed = 0; passed < 30; passed++) await clock.advance(1_000);
  const told = await store.events.read({ after: 0, limit: 500, types: ['FleetDegraded', 'FleetRecovered'] });
  expect(told.map(({ type }) => type)).toEqual(['FleetDegraded', 'FleetRecovered']);
});

it('leaves a provider time to close however long calls under way used up the time to stop', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock, tools: { hangs: () => hangs() } });
  const slow = altered(fake, {
    close: async () => {
      await new Promise<void>((resolve) => clock.schedule(500, resolve));
      await fake.close();
    },
  });
  const infra = infraOf({ clock, providers: [slow] });
  await started(infra, clock);
  const { id } = await infra.instances.create({ name: 'one', jsonSpec: docker });
  await untilSettled(clock, infra.instances.waitUntilReady(id));
  const call = infra.instances.callTool(id, 'hangs', {}).catch((error: unknown) => error);
  await clock.advance(100);
  const stopping = infra.stop({ timeoutMs: 3_000 });
  expect(await untilSettled(clock, stopping)).toBeLessThanOrEqual(3_000);
  expect((await stopping).unclosed.filter(({ part }) => part.startsWith('provider:'))).toEqual([]);
  expect(await untilSettled(clock, call)).toBeLessThanOrEqual(1_000);
});
