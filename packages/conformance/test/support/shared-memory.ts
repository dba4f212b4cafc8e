import type { StoreHarness } from '@mcpinfra/conformance/store';
import { memoryStore } from '@mcpinfra/core';
import { mcpError, type Store, type StoreIdentity } from '@mcpinfra/core/plugin';

/** Stores that have one memory between them, as processes have one database. */
export function sharedMemory(): StoreHarness {
  const memory = memoryStore();
  let identity: Promise<StoreIdentity> | undefined;
  const open = (): Promise<StoreIdentity> => (identity ??= memory.open());
  const make = (): Store => connection(memory, open);
  return { store: make(), reopen: make, dispose: () => memory.close() };
}

function connection(memory: Store, open: () => Promise<StoreIdentity>): Store {
  let state: 'NOT_STARTED' | 'open' | 'ALREADY_STOPPED' = 'NOT_STARTED';
  const own: Pick<Store, 'open' | 'close'> = {
    async open(options) {
      if (options?.signal?.aborted) throw mcpError('ABORTED', 'The call was aborted.');
      const identity = await open();
      state = 'open';
      return { ...identity, durable: true };
    },
    close: async () => {
      state = 'ALREADY_STOPPED';
    },
  };
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, key) {
        if (part === (memory as object) && Object.hasOwn(own, key)) return Reflect.get(own, key) as unknown;
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'object' && value !== null) return guarded(value);
        if (typeof value !== 'function' || key === 'watch') return bound(value, target);
        return async (...args: unknown[]): Promise<unknown> => {
          if (state !== 'open') throw mcpError(state, 'The store is not open.');
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  return guarded(memory);
}

function bound(value: unknown, target: object): unknown {
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
