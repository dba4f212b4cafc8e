import { type InstanceRecord, Once, rowsOfPages, type Store } from '../plugin.js';

/** A store that can be asked for every instance, also after it was closed. */
export interface RememberingStore {
  readonly store: Store;
  /** Every instance there is, or was when the store was closed. */
  readonly rows: () => Promise<readonly InstanceRecord[]>;
}

/** Has a store remember what was in it when it was closed. */
export function rememberingStore(store: Store): RememberingStore {
  const last = new Once(() => readAll(store).catch(() => []));
  const remembering = new Proxy(store, {
    get(target, key) {
      // Private members are seen by the object itself only, never by its proxy.
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(value, target, args);
        return key === 'close' ? last.get().then(call) : call();
      };
    },
  });
  return { store: remembering, rows: async () => (last.begun ? last.get() : readAll(store)) };
}

async function readAll(store: Store): Promise<readonly InstanceRecord[]> {
  const rows: InstanceRecord[] = [];
  for await (const row of rowsOfPages((cursor) => store.instances.list({ limit: 500, cursor })))
    rows.push(row);
  return rows;
}
