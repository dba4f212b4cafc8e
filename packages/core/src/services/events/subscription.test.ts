import { expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory-store.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { altered } from '../../testing/altered.fixture.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { Claims } from '../context/ownership.js';
import type { ServiceContext } from '../context/service-context.js';
import { EventHub } from './event-hub.js';
import { FleetCondition } from './fleet-condition.js';
import { Subscription } from './subscription.js';

it('is in no trouble any more once another process handles its group', async () => {
  const clock = manualClock();
  const memory = memoryStore({ clock });
  await memory.open();
  const state = { away: false, mine: true };
  const events = altered(memory.events, {
    read: (query, options) =>
      state.away
        ? Promise.reject(mcpError('STORE_FAILED', 'It is away.'))
        : memory.events.read(query, options),
  });
  const context = {
    clock,
    logger: recordingLogger(),
    random: () => 0,
    store: altered(memory, { events }),
  } as unknown as ServiceContext;
  const condition = new FleetCondition(context);
  const claims: Claims = {
    claim: async () => undefined,
    unclaim: async () => undefined,
    holds: () => state.mine,
  };
  const hub = new EventHub(context);
  const subscription = new Subscription(
    { context, hub, condition, claims, scope: null },
    { group: '*/g', start: 0, types: undefined, labels: undefined, handler: () => undefined },
  );
  const ending = new AbortController();
  const over = subscription.run(ending.signal);
  const sick = () => condition.parts().map(({ part }) => part);
  await clock.advance(2_000);
  state.away = true;
  await clock.advance(2_000);
  expect(sick()).toEqual(['subscription:*/g']);
  state.mine = false;
  await clock.advance(2_000);
  expect(sick()).toEqual([]);
  ending.abort();
  await clock.advance(1_000);
  await over;
});
