import { createMCPInfra, type MCPInfra, type MCPInfraOptions, memoryStore } from '@mcpinfra/core';
import {
  type ContainerSpec,
  type JsonSpec,
  mcpError,
  type Provider,
  type Store,
  type StoreIdentity,
} from '@mcpinfra/core/plugin';
import { type FakeProvider, fakeProvider, type ManualClock, manualClock } from '@mcpinfra/core/testing';

/** Documents of servers that end with the process that started them. */
type LocalSpec = JsonSpec & { readonly type: 'local'; readonly command: readonly string[] };

/** One of several processes of a fleet, as far as one process can play them. */
interface Member {
  readonly infra: MCPInfra<ContainerSpec | LocalSpec>;
  readonly clock: ManualClock;
  /** The writes of instances that the store accepted from it. */
  readonly writes: readonly string[];
  /** Cuts it off from everything at once, as SIGKILL does. */
  kill(): void;
  /** Has whatever it asks from now on stay without an answer, and tells it nothing, as under SIGSTOP. */
  freeze(): void;
}

/** Infras that share a store and an engine and have a bus each. */
export interface SharedFleet extends AsyncDisposable {
  readonly store: Store;
  /** That of every member but the frozen. */
  readonly clock: ManualClock;
  readonly engine: FakeProvider<ContainerSpec>;
  /** Starts another member, with the engine unless it has other providers. One with a clock of its own stands still while the others go on, as under SIGSTOP. */
  join(
    options?: Partial<MCPInfraOptions> & {
      readonly frozen?: boolean;
      /** Runs servers in this member alone. @defaultValue the engine of all */
      readonly own?: FakeProvider<LocalSpec>;
    },
  ): Promise<Member>;
  /** Moves the clock in steps of a second, so that what follows gets its time. */
  advance(ms: number): Promise<void>;
}

export function sharedFleet(): SharedFleet {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const engine = fakeProvider({ clock });
  const members: Member[] = [];
  let identity: Promise<StoreIdentity> | undefined;
  let opened: Promise<void> | undefined;

  const join: SharedFleet['join'] = async ({
    frozen = false,
    own: ownEngine,
    providers: others,
    ...options
  } = {}) => {
    const own = frozen ? manualClock() : clock;
    const killed = new AbortController();
    const stopped = new AbortController();
    const ends = { killed: killed.signal, stopped: stopped.signal };
    const writes: string[] = [];
    const shared: Store = cutOff(store, ends, {
      open: () => (identity ??= store.open()),
      close: async () => undefined,
      updateInstance: async (...args: Parameters<Store['updateInstance']>) => {
        if (stopped.signal.aborted) return new Promise<never>(() => undefined);
        const written = await store.updateInstance(...args);
        writes.push(`${written.name} ${written.status}`);
        return written;
      },
    });
    const ofAll = {
      open: (context: Parameters<Provider['open']>[0]) => (opened ??= engine.open(context)),
      close: async () => undefined,
    };
    const provider = ownEngine ? cutOff(ownEngine, ends, {}) : cutOff(engine, ends, ofAll);
    const infra = createMCPInfra({
      ...options,
      providers: (others ?? [provider]) as Provider<ContainerSpec | LocalSpec>[],
      store: shared,
      clock: own,
    });
    const kill = (): void => killed.abort();
    const freeze = (): void => stopped.abort();
    const member = { infra, clock: own, writes, kill, freeze };
    members.push(member);
    await infra.start();
    await advance(0);
    return member;
  };

  const advance = async (ms: number): Promise<void> => {
    await clock.advance(0);
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000)
      await clock.advance(Math.min(1_000, ms - passedMs));
  };

  return {
    store,
    clock,
    engine,
    join,
    advance,
    async [Symbol.asyncDispose]() {
      const stops = members.map(({ infra }) => infra.stop().catch(() => undefined));
      for (const { clock: own } of members) await own.advance(60_000);
      await Promise.all(stops);
    },
  };
}

/** What cuts a process off from its plugins. */
interface Ends {
  readonly killed: AbortSignal;
  readonly stopped: AbortSignal;
}

/** A plugin whose every call fails, or stays without an answer, once a signal has fired, and that calls nobody back any more. */
function cutOff<T extends object>(plugin: T, ends: Ends, own: Record<string, unknown>): T {
  return new Proxy(plugin, {
    get(target, key) {
      if (typeof key === 'string' && key in own) return own[key];
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value === 'object' && value !== null) return cutOff(value, ends, {});
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (key === 'watch') {
          const [listener] = args as [(...told: unknown[]) => void];
          return Reflect.apply(value, target, [(...told: unknown[]) => isHere(ends) && listener(...told)]);
        }
        if (ends.stopped.aborted) return new Promise(() => undefined);
        if (ends.killed.aborted) return Promise.reject(mcpError('STORE_FAILED', 'This process is dead.'));
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function isHere({ killed, stopped }: Ends): boolean {
  return !killed.aborted && !stopped.aborted;
}
