import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory-store.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Event } from '../../domain/events/event.js';
import type { Store } from '../../ports/store.js';
import { altered } from '../../testing/altered.fixture.js';
import { type ManualClock, manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { ServiceContext } from '../context/service-context.js';
import { FleetCondition } from './fleet-condition.js';
import { FleetNews } from './fleet-news.js';

const parts = ['store', 'provider:docker'] as const;
const processes = [0, 1, 2] as const;
/** How the store treats the next calls: it answers, fails, or does what it is told and says that it failed. */
type Mood = 'well' | 'away' | 'commits and fails';

const process = fc.constantFrom(...processes);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('away' as const), process, part: fc.constantFrom(...parts) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('back' as const), process, part: fc.constantFrom(...parts) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('killed' as const), process }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('mood' as const),
      mood: fc.constantFrom<Mood>('well', 'away', 'commits and fails'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('relay' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
);

/** The store of one process, in the mood of the moment. */
function moody(store: Store, mood: () => Mood): Store {
  const fail = (): never => {
    throw mcpError('STORE_FAILED', 'The connection was lost.');
  };
  const moodily =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (mood() === 'away') fail();
      const result = await call(...args);
      return mood() === 'commits and fails' ? fail() : result;
    };
  return altered(store, {
    appendEvents: moodily((...args: Parameters<Store['appendEvents']>) => store.appendEvents(...args)),
    events: altered(store.events, {
      read: moodily((...args: Parameters<Store['events']['read']>) => store.events.read(...args)),
      head: moodily((...args: Parameters<Store['events']['head']>) => store.events.head(...args)),
      number: moodily((...args: Parameters<Store['events']['number']>) => store.events.number(...args)),
    }),
    leases: altered(store.leases, {
      acquire: moodily((...args: Parameters<Store['leases']['acquire']>) => store.leases.acquire(...args)),
      release: moodily((...args: Parameters<Store['leases']['release']>) => store.leases.release(...args)),
    }),
  });
}

/** A fleet of three processes on one store; each has its own sight of what is away. */
async function fleet(clock: ManualClock) {
  const store = memoryStore({ clock });
  const identity = await store.open();
  let mood: Mood = 'well';
  const started = () => {
    const context = {
      store: moody(store, () => mood),
      clock,
      logger: recordingLogger(),
      identity: () => identity,
      committed: () => undefined,
    } as unknown as ServiceContext;
    const telling: FleetNews[] = [];
    const condition = new FleetCondition(context, () => telling[0]?.look());
    const news = new FleetNews(context, condition);
    telling.push(news);
    news.start();
    return { condition, news };
  };
  const running = processes.map(started);
  let heard = 0;
  return {
    running,
    setMood: (to: Mood) => (mood = to),
    kill: (at: number) => {
      void running[at]?.news.stop();
      running[at] = started();
    },
    /** Numbers what is committed, as the relay does, and has every process hear of it. */
    relay: async () => {
      while ((await store.events.number(100)).length > 0);
      const told = await store.events.read({ after: heard, limit: 1_000 });
      heard = told.at(-1)?.position ?? heard;
      for (const { news } of running) for (const event of told) news.heard(event);
    },
    stop: () => Promise.all(running.map(({ news }) => news.stop())),
    log: async () => {
      while ((await store.events.number(100)).length > 0);
      return store.events.read({ after: 0, limit: 10_000 });
    },
    leases: () => store.leases.list(),
  };
}

function toldOf(part: string, log: readonly Event[]): readonly string[] {
  return log
    .filter(({ type, data }) => type.startsWith('Fleet') && (data as { part: string }).part === part)
    .map(({ type }) => type);
}

it('tells beginnings and ends in turn, whatever fails and whoever is killed, and at last the end of everything', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = manualClock();
      const all = await fleet(clock);
      const away = mcpError('PLACEMENT_UNREACHABLE', 'It does not answer.');
      for (const one of steps) {
        if (one.do === 'away') all.running[one.process]?.condition.degraded(one.part, away);
        else if (one.do === 'back') all.running[one.process]?.condition.recovered(one.part);
        else if (one.do === 'killed') all.kill(one.process);
        else if (one.do === 'mood') all.setMood(one.mood);
        else if (one.do === 'relay') await all.relay();
        else await clock.advance(one.ms);
      }
      all.setMood('well');
      for (let round = 0; round < 8; round++) {
        for (const { condition } of all.running) for (const part of parts) condition.recovered(part);
        await clock.advance(20_000);
        await all.relay();
      }
      const log = await all.log();
      for (const part of parts) {
        const told = toldOf(part, log);
        const inTurn = told.map((_, at) => (at % 2 === 0 ? 'FleetDegraded' : 'FleetRecovered'));
        expect(told).toEqual(inTurn);
        expect(told.at(-1) ?? 'FleetRecovered').toBe('FleetRecovered');
      }
      expect(await all.leases()).toEqual([]);
      await all.stop();
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('tells an outage once that several processes see, though they see its end one after the other', async () => {
  const clock = manualClock();
  const all = await fleet(clock);
  const away = mcpError('PLACEMENT_UNREACHABLE', 'It does not answer.');
  await clock.advance(1_000);
  for (const { condition } of all.running) condition.degraded('provider:docker', away);
  await clock.advance(5_000);
  await all.relay();
  for (const { condition } of all.running) {
    condition.recovered('provider:docker');
    await clock.advance(3_000);
    await all.relay();
  }
  await clock.advance(60_000);
  expect(toldOf('provider:docker', await all.log())).toEqual(['FleetDegraded', 'FleetRecovered']);
  await all.stop();
});

it('tells anew what one process still sees away a while after another told its end', async () => {
  const clock = manualClock();
  const all = await fleet(clock);
  const away = mcpError('PLACEMENT_UNREACHABLE', 'It does not answer.');
  await clock.advance(1_000);
  for (const { condition } of all.running) condition.degraded('provider:docker', away);
  await clock.advance(5_000);
  await all.relay();
  all.running[0]?.condition.recovered('provider:docker');
  await clock.advance(1_000);
  await all.relay();
  await clock.advance(60_000);
  expect(toldOf('provider:docker', await all.log())).toEqual([
    'FleetDegraded',
    'FleetRecovered',
    'FleetDegraded',
  ]);
  await all.stop();
});
