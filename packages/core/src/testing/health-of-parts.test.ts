import { describe, expect, it } from 'vitest';
import { memoryEventBus, memoryStore } from '../index.js';
import { type EventBus, type EventBusContext, mcpError, type PartReport, type Store } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

const sick = async (t: Pick<TestInfra, 'infra'>) => (await t.infra.health()).degraded.map(({ part }) => part);

/** A store some of whose methods fail while they are said to. */
function failing(calls: Set<string>) {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const failable = <T extends object>(table: T): T =>
    new Proxy(table, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (calls.has(String(key))) throw mcpError('STORE_FAILED', `${String(key)} does not work.`);
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  const events = failable(store.events);
  return { clock, store: altered<Store>(store, { events }) };
}

describe('health() says while it lasts that', () => {
  it.each([
    ['events are not numbered', 'number', 'event-numbering'],
    ['events are not published', 'cursor', 'relay'],
    ['the log is not read', 'read', 'event-log'],
    ['the log is not tidied', 'trim', 'event-log-tidying'],
    ['a subscription cannot keep where it is', 'saveCursor', 'subscription:*/g'],
    ['a subscription cannot read on', 'read', 'subscription:*/g'],
  ])('%s', async (_, method, part) => {
    // The relay asks where it was left only once, when a process becomes it.
    const calls = new Set<string>(method === 'cursor' ? [method] : []);
    const { clock, store } = failing(calls);
    await using t = await createTestInfra({ clock, store });
    if (part.startsWith('subscription')) await t.infra.events.subscribe({ group: 'g' }, () => undefined);
    calls.add(method);
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.advance(30_000);
    expect(await sick(t)).toContain(part);
    calls.clear();
    await t.advance(60_000);
    expect(await sick(t)).toEqual([]);
  });

  it('what a bus does by itself does not go on', async () => {
    let report: PartReport | undefined;
    const bus = memoryEventBus();
    const reporting = altered(bus, {
      open: async (context: EventBusContext) => {
        report = context.report;
        await bus.open(context);
      },
    });
    await using t = await createTestInfra({ events: reporting });
    report?.('trimming', false, 'NOPERM');
    expect((await t.infra.health()).degraded).toMatchObject([
      { part: 'event-bus/trimming', message: 'NOPERM' },
    ]);
    report?.('trimming', true);
    expect(await sick(t)).toEqual([]);
  });

  it('a store does not hear of other processes', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    let report: PartReport | undefined;
    const reporting = altered<Store>(store, {
      watch: (listener, told) => {
        report = told;
        return store.watch?.(listener) ?? (() => undefined);
      },
    });
    await using t = await createTestInfra({ clock, store: reporting });
    report?.('news', false, 'The connection was lost.');
    expect(await sick(t)).toEqual(['store/news']);
    report?.('news', true);
    expect(await sick(t)).toEqual([]);
  });

  it("something of the host's own does not go on", async () => {
    await using t = await createTestInfra();
    t.infra.report('billing', false, 'The queue is full.');
    expect((await t.infra.health()).degraded).toMatchObject([{ part: 'host:billing', ok: false }]);
    t.infra.report('billing', true);
    expect(await sick(t)).toEqual([]);
  });
});

describe('a bus that is away', () => {
  function saying() {
    const state = { healthy: true };
    const bus: EventBus = altered(memoryEventBus(), { healthy: () => state.healthy });
    return { state, bus };
  }

  it('is told within seconds, and its end as well, also where nothing is published', async () => {
    const { state, bus } = saying();
    await using t = await createTestInfra({ events: bus, roles: ['control'] });
    state.healthy = false;
    await t.advance(5_000);
    expect(t.recordedEvents('FleetDegraded').map(({ data }) => data.part)).toEqual(['event-bus']);
    expect(await sick(t)).toEqual(['event-bus']);
    state.healthy = true;
    await t.advance(5_000);
    expect(t.recordedEvents('FleetRecovered').map(({ data }) => data.part)).toEqual(['event-bus']);
    expect(await sick(t)).toEqual([]);
  });

  it('is no outage when it is back at once', async () => {
    const { state, bus } = saying();
    await using t = await createTestInfra({ events: bus });
    await t.advance(500);
    state.healthy = false;
    await t.advance(1_900);
    state.healthy = true;
    await t.advance(30_000);
    expect(t.recordedEvents('FleetDegraded')).toEqual([]);
  });
});
