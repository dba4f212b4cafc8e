import type { Store, StoreIdentity } from '@mcpinfra/core/plugin';
import type { Case } from '../suite.js';
import type { StoreHarness } from './store-harness.js';

/** What a case works on: the stores on one set of data. */
export class StoreBench {
  readonly harness: StoreHarness;
  readonly patienceMs: number;
  readonly #made = new Set<Store>();
  #first: Promise<Store> | undefined;

  constructor(harness: StoreHarness, patienceMs: number) {
    this.harness = harness;
    this.patienceMs = patienceMs;
    this.#made.add(harness.store);
  }

  /** Whether several stores can be open at once. */
  get isConcurrent(): boolean {
    return this.harness.reopen !== undefined && this.harness.concurrent !== false;
  }

  /** The first store, opened. */
  open(): Promise<Store> {
    this.#first ??= opened(this.harness.store);
    return this.#first;
  }

  /** Another store on the same data, opened; the first one again where only one can be open. */
  async beside(): Promise<Store> {
    return this.isConcurrent ? opened(await this.another()) : this.open();
  }

  /** Closes what is open, and opens the data again. */
  async reopen(): Promise<{ readonly store: Store; readonly identity: StoreIdentity }> {
    await this.#closeAll();
    const store = await this.another();
    return { store, identity: await store.open() };
  }

  /** Another store on the same data, not opened yet. */
  async another(): Promise<Store> {
    const store = (await this.harness.reopen?.()) ?? this.harness.store;
    this.#made.add(store);
    return store;
  }

  async dispose(): Promise<void> {
    try {
      await this.#closeAll();
    } finally {
      await this.harness.dispose?.();
    }
  }

  async #closeAll(): Promise<void> {
    const stores = [...this.#made];
    this.#made.clear();
    await Promise.all(stores.map((store) => store.close()));
  }
}

async function opened(store: Store): Promise<Store> {
  await store.open();
  return store;
}

type Run = (store: Store, bench: StoreBench) => Promise<void>;

/** A case that begins with an open, empty store. */
export function storeCase(id: string, text: string, run: Run): Case<StoreBench> {
  return { id: `store/${id}`, text, run: async (bench) => run(await bench.open(), bench) };
}

/** A {@link storeCase} for stores that outlive their process. */
export function durableCase(id: string, text: string, run: Run): Case<StoreBench> {
  return {
    ...storeCase(id, text, run),
    notFor: ({ harness }) => (harness.reopen === undefined ? 'the data ends with the store' : null),
  };
}

/** A {@link storeCase} for stores that several processes can have open at once. */
export function sharedCase(id: string, text: string, run: Run): Case<StoreBench> {
  return {
    ...storeCase(id, text, run),
    notFor: ({ isConcurrent }) => (isConcurrent ? null : 'one store at a time can have the data open'),
  };
}

/** A {@link storeCase} for stores that have `watch`. */
export function watchCase(id: string, text: string, run: Run): Case<StoreBench> {
  return {
    ...storeCase(id, text, run),
    notFor: ({ harness }) => (harness.store.watch === undefined ? 'the store has no watch()' : null),
  };
}
