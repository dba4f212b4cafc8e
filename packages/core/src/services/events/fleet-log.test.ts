import { expect, it } from 'vitest';
import { memoryStore } from '../../index.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { ServiceContext } from '../context/service-context.js';
import { FleetLog } from './fleet-log.js';

it('takes nothing from news that a bus brings late, after what ended them was read', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const identity = await store.open();
  const context = {
    store,
    clock,
    logger: recordingLogger(),
    committed: () => undefined,
    identity: () => identity,
  } as unknown as ServiceContext;
  const log = new FleetLog(context);
  const part = 'provider:docker';
  await log.write(async (tell) => {
    await tell('FleetDegraded', { part, reason: 'PLUGIN_TIMEOUT', message: '' });
    await tell('FleetRecovered', { part });
  });
  await store.events.number(10);
  const [degraded, recovered] = await store.events.read({ after: 0, limit: 10 });
  await log.read();
  for (const late of [degraded, recovered]) if (late) log.heard(late);
  if (degraded) log.heard(degraded);
  expect(log.away).toEqual(new Set());
  await store.close();
});
