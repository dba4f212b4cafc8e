import { expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { mcpError, type Store } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { local } from './fake-kinds.fixture.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const tools = { echo: () => 'hi' };

/** A fleet in one process whose store can be read and, from then on, not be written. */
async function readOnlyFleet() {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const away = { isSo: false };
  const unless = <A extends readonly unknown[], T>(work: (...args: A) => Promise<T>) => {
    const refused = mcpError('STORE_FAILED', 'cannot execute UPDATE in a read-only transaction');
    return (...args: A) => (away.isSo ? Promise.reject(refused) : work(...args));
  };
  const leases = altered(store.leases, {
    acquire: unless((...args: Parameters<Store['leases']['acquire']>) => store.leases.acquire(...args)),
    renew: unless((...args: Parameters<Store['leases']['renew']>) => store.leases.renew(...args)),
    release: unless((...args: Parameters<Store['leases']['release']>) => store.leases.release(...args)),
  });
  const updateInstance = unless((...args: Parameters<Store['updateInstance']>) =>
    store.updateInstance(...args),
  );
  const t = await createTestInfra({
    clock,
    store: altered(store, { leases, updateInstance }),
    providers: [fakeProvider({ clock, tools }), fakeProvider({ ...local, clock, tools })] as const,
  });
  return { ...t, away };
}

it.each([
  ['whose copy lives on', docker],
  ['whose copy is a child of this process', { type: 'local', command: ['server'] }],
] as const)(
  'refuses a call to an instance %s at once where leases can be neither taken nor renewed, and says so',
  async (_, jsonSpec) => {
    const t = await readOnlyFleet();
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: jsonSpec as never });
    await t.settle();
    t.away.isSo = true;
    // Its own lease is still in the store when it is no longer trusted.
    for (const ms of [11_000, 8_000]) {
      await t.advance(ms);
      const before = t.clock.monotonicMs();
      const refused = expect(t.infra.instances.callTool(id, 'echo', {})).rejects.toMatchObject({
        code: 'STORE_FAILED',
        retryable: true,
        message: expect.stringMatching(/can take no lease.*read-only transaction/u) as string,
      });
      await t.settle();
      await refused;
      expect(t.clock.monotonicMs()).toBe(before);
    }
    t.away.isSo = false;
    await t.advance(6_000);
    const call = t.infra.instances.callTool(id, 'echo', {});
    await t.advance(1_000);
    expect(await call).toMatchObject({ content: [{ text: 'hi' }] });
    await t.stop();
  },
);

it('is not ready while nobody owns it, though its row says that it runs, and ready once somebody does', async () => {
  const t = await readOnlyFleet();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.away.isSo = true;
  await t.advance(20_000);
  const told: string[] = [];
  const ready = t.infra.instances.waitUntilReady(id).then(({ status }) => told.push(status));
  await t.advance(5_000);
  expect(told).toEqual([]);
  t.away.isSo = false;
  await t.advance(10_000);
  expect(told).toEqual(['running']);
  await ready;
  await t.stop();
});

it('says where no worker is left that nobody owns it, not that another process does', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const lasting = altered<Store>(store, { close: async () => undefined });
  const worker = await createTestInfra({ clock, store: lasting });
  const { id } = await worker.infra.instances.create({ name: 'one', jsonSpec: docker });
  await worker.settle();
  await worker.stop();
  const identity = {
    storeId: worker.infra.identity.storeId,
    fleet: worker.infra.identity.fleet,
    durable: false,
  };
  const reopened = altered<Store>(store, { open: async () => identity, close: async () => undefined });
  const control = await createTestInfra({ clock, store: reopened, roles: ['control'] });
  const refused = expect(
    control.infra.instances.callTool(id, 'echo', {}, { wakeTimeoutMs: 1_000 }),
  ).rejects.toMatchObject({ code: 'PLACEMENT_UNREACHABLE' });
  await control.advance(2_000);
  await refused;
  await control.stop();
});
