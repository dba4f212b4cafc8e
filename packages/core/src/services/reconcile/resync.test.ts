import { expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory-store.js';
import type { OwnedCopy, Provider } from '../../ports/provider.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { OrphanCollector } from './orphan-collector.js';
import type { ReconcileServices } from './reconcile-services.js';
import { Resync } from './resync.js';

const types = ['docker', 'podman', 'process'] as const;

/** A promise for each type that others settle. */
function gates() {
  const opened = new Map<string, () => void>();
  const through = (type: string) => new Promise<void>((resolve) => opened.set(type, resolve));
  return { through, waiting: opened, open: (type: string) => opened.get(type)?.() };
}

/** Three engines, each with one copy that no row speaks of, that list and remove when they are let. */
async function engines() {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const { storeId } = await store.open();
  const [lists, removals] = [gates(), gates()];
  const provider = (type: string): Pick<Provider, 'type' | 'list' | 'destroy'> => ({
    type,
    list: async () => {
      await lists.through(type);
      const copy = { instanceId: `of-${type}`, slug: type, revision: 1 };
      const owned: OwnedCopy = { copy, storeId, state: 'running', createdAt: '2020-01-01T00:00:00.000Z' };
      return [owned];
    },
    destroy: () => removals.through(type),
  });
  const logger = recordingLogger();
  const services = {
    context: {
      clock,
      store,
      logger,
      identity: () => ({ fleet: 'f', storeId }),
      providers: new Map(types.map((type) => [type, provider(type)])),
    },
    ownership: { placement: (type: string) => type, fence: () => 1, concerns: () => true },
    links: { isVacating: () => false },
    condition: { recovered: () => undefined, degraded: () => undefined, evidence: () => undefined },
    secrets: { scrubError: (_: string, error: unknown) => error },
  } as unknown as ReconcileServices;
  return { clock, services, lists, removals, logger };
}

it.each([
  ['a resync', (s: ReconcileServices) => new Resync(s).run(new AbortController().signal)],
  ['a collection', (s: ReconcileServices) => new OrphanCollector(s).collect()],
])('%s asks all engines at once, and one that hangs keeps none from being tidied', async (_, run) => {
  const { clock, services, lists, removals } = await engines();
  const over = run(services);
  await clock.advance(0);
  expect([...lists.waiting.keys()]).toEqual(types);
  for (const type of types) lists.open(type);
  await clock.advance(0);
  expect([...removals.waiting.keys()].sort()).toEqual([...types].sort());
  for (const type of types) removals.open(type);
  await over;
});
