import { expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { mcpError } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { remote as elsewhere } from './fake-kinds.fixture.js';

const remote = {
  type: 'remote',
  endpoint: 'https://one.example/mcp',
  health_check: { interval: 10, timeout: 5, retries: 2 },
} as const;

/** A fleet of one remote server whose store can refuse to be written. */
async function withStore() {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const state = { readOnly: false, writes: 0 };
  const t = await createTestInfra({
    clock,
    providers: [fakeProvider({ ...elsewhere, clock, tools: { echo: (args) => args } })],
    store: altered(store, {
      updateInstance: async (record, effects, options) => {
        if (state.readOnly) throw mcpError('STORE_FAILED', 'The disk is read-only.');
        state.writes++;
        return store.updateInstance(record, effects, options);
      },
    }),
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: remote });
  await t.settle();
  const seen = async () => {
    const { status, statusDetail } = await t.infra.instances.get(id);
    return `${status} ${statusDetail.health.state} ${statusDetail.reason}`.trim();
  };
  return { t, id, state, seen };
}

/** Moves the clock until something is so, at most a minute. */
async function advanceUntil(
  t: { advance(ms: number): Promise<void> },
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let s = 0; s < 60 && !(await isSo()); s++) await t.advance(1_000);
}

it('is written when the store can be written again, of a server that died and of one that came back', async () => {
  const { t, state, seen } = await withStore();
  await using _ = t;
  t.hang('one');
  state.readOnly = true;
  await t.advance(60_000);
  expect(await seen()).toBe('running healthy');
  state.readOnly = false;
  await t.advance(40_000);
  expect(await seen()).toBe('unhealthy unhealthy REQUEST_TIMEOUT');
  state.readOnly = true;
  t.unhang('one');
  await t.advance(60_000);
  state.readOnly = false;
  await t.advance(40_000);
  expect(await seen()).toBe('running healthy');
});

it('is written soon after a short failure of the store, not with the next probe', async () => {
  const { t, state, seen } = await withStore();
  await using _ = t;
  t.hang('one');
  state.readOnly = true;
  const tried = () => t.logger.lines.filter(({ message }) => message.includes('could not be written yet'));
  // What the first failed probe saw is told too; the second, 10 s later, decides.
  await advanceUntil(t, () => tried().length > 0);
  await t.advance(11_000);
  expect(await seen()).toBe('running healthy');
  state.readOnly = false;
  // The waits between tries grow up to five seconds.
  await t.advance(5_000);
  expect(await seen()).toBe('unhealthy unhealthy REQUEST_TIMEOUT');
});

it('comes within the interval times the retries, plus the timeout', async () => {
  const { t, seen } = await withStore();
  await using _ = t;
  await t.advance(100_000);
  t.hang('one');
  await t.advance(2 * 10_000 + 5_000);
  expect(await seen()).toBe('unhealthy unhealthy REQUEST_TIMEOUT');
});

it('tells at once what a failed probe saw, without an event, and takes it back', async () => {
  const { t, id, state, seen } = await withStore();
  await using _ = t;
  const events = t.recordedEvents().length;
  t.hang('one');
  await advanceUntil(
    t,
    async () => (await t.infra.instances.get(id)).statusDetail.health.lastProbe !== undefined,
  );
  expect(await seen()).toBe('running healthy');
  const { health } = (await t.infra.instances.get(id)).statusDetail;
  expect(health.lastProbe).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  expect(health.lastProbe?.message).toContain('did not answer within 5 s');
  t.unhang('one');
  await t.advance(10_000);
  expect((await t.infra.instances.get(id)).statusDetail.health.lastProbe).toBeUndefined();
  expect(t.recordedEvents()).toHaveLength(events);
  const { writes } = state;
  await t.advance(600_000);
  expect(state.writes).toBe(writes);
});

it('follows the reason while it stays unhealthy, with one event for each', async () => {
  const clock = manualClock();
  let said: string | undefined;
  await using t = await createTestInfra({
    clock,
    providers: [
      fakeProvider({
        ...elsewhere,
        clock,
        tools: {
          self_test: () => {
            if (said !== undefined) throw new Error(said);
            return 'ok';
          },
        },
      }),
    ],
  });
  const health_check = { ...remote.health_check, canary_tool: 'self_test' };
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: { ...remote, health_check } });
  await t.settle();
  said = 'disk full, 17 bytes left';
  await t.advance(60_000);
  const told = async () => {
    const { reason, message } = (await t.infra.instances.get(id)).statusDetail;
    return { reason, message };
  };
  const first = await told();
  expect(first.reason).toBe('UNHEALTHY');
  expect(first.message).toContain('17 bytes');
  const { resourceVersion } = await t.infra.instances.get(id);
  said = 'disk full, 9 bytes left';
  await t.advance(100_000);
  expect((await t.infra.instances.get(id)).resourceVersion).toBe(resourceVersion);
  said = 'out of tape';
  await t.advance(100_000);
  expect((await told()).message).toContain('out of tape');
  t.hang('one');
  await t.advance(100_000);
  expect(await told()).toMatchObject({ reason: 'REQUEST_TIMEOUT' });
  const unhealthy = t
    .recordedEvents('MCPServerInstanceStatusChanged')
    .filter(({ data }) => data.to === 'unhealthy')
    .map(({ data }) => `${data.from} ${data.reason}`);
  expect(unhealthy).toEqual(['running UNHEALTHY', 'unhealthy REQUEST_TIMEOUT']);
});

it('is asked by one probe at a time, and at once again after one that took longer than the interval', async () => {
  const clock = manualClock();
  const asked = { now: 0, most: 0, all: 0 };
  let slow = false;
  const provider = fakeProvider({
    ...elsewhere,
    clock,
    tools: {
      self_test: async () => {
        asked.all += 1;
        asked.now += 1;
        asked.most = Math.max(asked.most, asked.now);
        if (slow) await new Promise<void>((resolve) => void clock.schedule(25_000, resolve));
        asked.now -= 1;
        return 'ok';
      },
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const health_check = { interval: 10, timeout: 40, canary_tool: 'self_test' };
  await t.infra.instances.create({ name: 'one', jsonSpec: { ...remote, health_check } });
  await t.settle();
  await t.advance(10_000);
  slow = true;
  asked.all = 0;
  // The first begins within ten seconds, and each of the others when the one before it is over.
  await t.advance(110_000);
  expect(asked).toMatchObject({ most: 1, all: 5 });
});
