import { expect, it } from 'vitest';
import { createMCPInfra, memoryStore } from '../index.js';
import { mcpError, type Provider, type ProviderContext, type Store } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { local } from './fake-kinds.fixture.js';
import { fakeProvider } from './fake-provider.js';
import { type ManualClock, manualClock } from './manual-clock.js';
// What is loaded when it is needed takes time of no clock.
import '../mcp/create-mcp-links.js';
import '../mcp/http/over-http.js';
import '../mcp/stdio/over-stdio.js';
import '../runtime/worker.js';

/** Lets so many microtasks pass. */
async function microtasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await Promise.resolve();
}

/** The leases that a process holds a minute after it asked for two, so many microtasks apart. */
async function heldAfterAMinute(apart: number): Promise<readonly string[]> {
  const clock = manualClock();
  const store = memoryStore({ clock });
  await using t = await createTestInfra({ roles: ['control'], clock, store });
  const first = t.infra.events.subscribe({ group: 'first' }, () => undefined);
  await microtasks(apart);
  const second = t.infra.events.subscribe({ group: 'second' }, () => undefined);
  await t.settle();
  await Promise.all([first, second]);
  await t.advance(60_000);
  return (await store.leases.list()).map(({ name }) => name).sort();
}

it('goes on renewing its leases, however few microtasks lie between two requests for one', async () => {
  const aparts = Array.from({ length: 61 }, (_, apart) => apart);
  const held = await Promise.all(aparts.map(heldAfterAMinute));
  const all = ['group:*/first', 'group:*/second', 'relay'];
  expect(aparts.filter((apart) => held[apart]?.join() !== all.join())).toEqual([]);
}, 30_000);

it('takes none for a start that was refused, and its share once it was mended', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const engine = fakeProvider({ clock });
  const trouble = { wrong: true };
  const reached: string[] = [];
  const picky = altered(engine, {
    open: async (context: ProviderContext) => {
      await clockPasses(clock, 500);
      if (trouble.wrong) throw mcpError('INVALID_OPTIONS', 'The directory does not exist.');
      await engine.open(context);
    },
  });
  const other = fakeProvider({ ...local, clock });
  const noting = altered(other, {
    placement: async (options) => {
      reached.push(other.type);
      return other.placement(options);
    },
  });
  const lasting = altered<Store>(store, { close: async () => undefined });
  const providers: readonly Provider[] = [picky, noting];
  const infra = createMCPInfra({ clock, store: lasting, providers });
  const refused = expect(infra.start()).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  await clock.advance(2_000);
  await refused;
  await clock.advance(20_000);
  expect(reached).not.toEqual([]);
  expect(await store.leases.list()).toEqual([]);
  trouble.wrong = false;
  const started = infra.start();
  await clock.advance(2_000);
  await started;
  const shards = (await store.leases.list()).filter(({ name }) => /\/\d+$/u.test(name));
  expect(shards).toHaveLength(32);
  const stopped = infra.stop();
  await clock.advance(30_000);
  await stopped;
});

function clockPasses(clock: ManualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(ms, resolve));
}
