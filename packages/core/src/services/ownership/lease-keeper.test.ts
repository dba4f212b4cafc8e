import { expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory-store.js';
import { memberLease, relayLease } from '../../domain/fleet/lease-names.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { ServiceContext } from '../context/service-context.js';
import { FleetCondition } from '../events/fleet-condition.js';
import { LeaseKeeper } from './lease-keeper.js';

it('takes leases from its start to its end, and anew from the next start on', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  await store.open();
  const context = {
    clock,
    store,
    logger: recordingLogger(),
    providers: new Map(),
  } as unknown as ServiceContext;
  const keeper = new LeaseKeeper(context, {
    holderId: 'me',
    worker: true,
    condition: new FleetCondition(context),
    placements: () => new Map([['docker', 'here']]),
    onChange: () => undefined,
    letGo: async () => undefined,
  });
  const names = async () => (await store.leases.list()).map(({ name }) => name);

  await keeper.look();
  expect(await names()).toEqual([]);
  for (let time = 1; time <= 2; time++) {
    await keeper.start();
    await clock.advance(60_000);
    expect(await names()).toHaveLength(18);
    expect(await names()).toEqual(expect.arrayContaining([relayLease, memberLease('here', 'me')]));
    expect(keeper.isRelay()).toBe(true);
    await keeper.giveBack();
    keeper.stop();
    await keeper.look();
    expect(await names()).toEqual([]);
    expect(keeper.isRelay()).toBe(false);
  }
  expect(clock.pending).toBe(0);
});
