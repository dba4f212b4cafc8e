import assert from 'node:assert/strict';
import type { Store, StoreNews } from '@mcpinfra/core/plugin';
import { eventually } from '../eventually.js';
import { exampleEvent } from './example-rows.js';
import { type StoreBench, watchCase } from './store-bench.js';

const holder = { id: 'a', ttlMs: 60_000 };

/** What each kind of news is told after. */
const deeds: Readonly<Record<StoreNews, (store: Store) => Promise<unknown>>> = {
  committed: (store) => store.appendEvents([exampleEvent()]),
  numbered: async (store) => {
    await store.appendEvents([exampleEvent()]);
    await store.events.number(9);
  },
  leases: async (store) => {
    await store.leases.acquire(['x'], holder);
    await store.leases.release(['x'], holder.id);
  },
};

/** Does something again and again, because news may be missed, until it has been heard. */
async function hears(listening: Store, { news, acting, bench }: Hearing): Promise<void> {
  const heard = new Set<StoreNews>();
  const off = listening.watch?.((told) => heard.add(told));
  try {
    await eventually(async () => {
      await deeds[news](acting);
      assert.ok(heard.has(news), `watch() tells "${news}", not only: ${[...heard].join(', ')}`);
    }, bench.patienceMs);
  } finally {
    off?.();
  }
}

interface Hearing {
  readonly news: StoreNews;
  readonly acting: Store;
  readonly bench: StoreBench;
}

const told = (news: StoreNews, after: string) =>
  watchCase(
    `watch/${news}`,
    `watch() tells "${news}" after ${after}, to every process that has the data open.`,
    async (store, bench) => {
      await hears(store, { news, acting: store, bench });
      await hears(await bench.beside(), { news, acting: store, bench });
    },
  );

/** What those who watch are told. */
export const watchCases = [
  told('committed', 'events were committed'),
  told('numbered', 'events were given their positions'),
  told('leases', 'leases were given back'),
  watchCase(
    'watch/end',
    'A listener that was taken away is told nothing more; the others are, and it may be taken away again.',
    async (store, bench) => {
      let count = 0;
      const listener = (): void => {
        count += 1;
      };
      const off = store.watch?.(listener);
      off?.();
      off?.();
      await hears(store, { news: 'committed', acting: store, bench });
      assert.equal(count, 0, 'a listener that was taken away is not told');
    },
  ),
  watchCase(
    'watch/failing-listener',
    'A listener that throws keeps neither writes from succeeding nor other listeners from being told.',
    async (store, bench) => {
      const off = store.watch?.(() => {
        throw new RangeError('the listener says no');
      });
      await hears(store, { news: 'committed', acting: store, bench });
      off?.();
    },
  ),
];
