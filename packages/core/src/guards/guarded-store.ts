import { underSignals } from '../async/abort.js';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { hasCode } from '../domain/errors/has-code.js';
import { normaliseError } from '../domain/errors/normalise-error.js';
import type { CallOptions } from '../ports/common.js';
import type { LeaseTable, Store, StoreIdentity, StoreWriter } from '../ports/store.js';
import { Guard, type GuardOptions } from './guard.js';
import { guardedListener } from './guarded-listener.js';

/** What a store fails with for its own reasons, and not because of what was asked. */
const ownFailures: readonly ErrorCode[] = ['STORE_FAILED', 'STORE_LOCKED', 'PLUGIN_TIMEOUT'];

/** Makes one call of a table within the deadline of the store. */
type Call = <T>(
  method: string,
  options: CallOptions | undefined,
  work: (inner: CallOptions) => Promise<T>,
) => Promise<T>;

/**
 * Puts a guard before a store.
 *
 * A transaction that is given up cannot write any more, but it may have committed: its outcome is unknown, as with any
 * write that is given up.
 */
export function guardStore(
  store: Store,
  options: GuardOptions & {
    /** Told of each call that failed for the store's own reasons; not of leases, whose keeper hears for itself. */
    readonly failed?: (() => void) | undefined;
  },
): Store {
  const { specificationVersion } = store;
  const guard = new Guard<StoreIdentity>(
    { port: 'store', name: 'store', specificationVersion, code: 'STORE_FAILED', opens: true },
    options,
  );
  const { storeMs, transactionMs } = guard.deadlines;
  const watch = store.watch?.bind(store);
  const canWrite = store.canWrite?.bind(store);
  const plain: Call = (method, o, work) =>
    guard.call(method, { timeoutMs: storeMs, signal: o?.signal }, work);
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (hasCode(error, ...ownFailures)) options.failed?.();
      throw error;
    }
  };
  const call: Call = (method, o, work) => told(plain(method, o, work));

  return {
    specificationVersion,
    open: (o) => guard.open(o, (bounds) => store.open(bounds)),
    close: (o) => guard.close(o, (bounds) => store.close(bounds)),
    ...guardWriter(store, call),
    ...guardTables(store, call),
    leases: guardLeases(store, plain),
    transaction: (work, { signal } = {}) =>
      told(
        guard.call('transaction', { timeoutMs: transactionMs, signal }, (bounds) => {
          const callInside: Call = (method, o, write) =>
            underSignals([bounds.signal, o?.signal], (ends) =>
              guard.call(method, { timeoutMs: storeMs, signal: ends }, write),
            );
          return store.transaction(async (writer) => {
            try {
              return await work(guardWriter(writer, callInside));
            } catch (error) {
              // The work is ours: what it throws by mistake is no failure of the store.
              throw normaliseError(error, 'INTERNAL', 'The work of a transaction failed');
            }
          }, bounds);
        }),
      ),
    now: (o) => plain('now', o, (inner) => store.now(inner)),
    ...(canWrite && { canWrite: (o) => plain('canWrite', o, (inner) => canWrite(inner)) }),
    ...(watch && {
      watch: (listener, report) => guardedListener(guard, listener, (guarded) => watch(guarded, report)),
    }),
  };
}

function guardWriter(writer: StoreWriter, call: Call): StoreWriter {
  return {
    createServer: (server, effects, o) =>
      call('createServer', o, (inner) => writer.createServer(server, effects, inner)),
    updateServer: (server, effects, o) =>
      call('updateServer', o, (inner) => writer.updateServer(server, effects, inner)),
    deleteServer: (id, effects, o) =>
      call('deleteServer', o, (inner) => writer.deleteServer(id, effects, inner)),
    createInstance: (record, effects, o) =>
      call('createInstance', o, (inner) => writer.createInstance(record, effects, inner)),
    updateInstance: (record, effects, o) =>
      call('updateInstance', o, (inner) => writer.updateInstance(record, effects, inner)),
    deleteInstance: (record, effects, o) =>
      call('deleteInstance', o, (inner) => writer.deleteInstance(record, effects, inner)),
    appendEvents: (events, o) =>
      call('appendEvents', o, (inner) => writer.appendEvents(events, { ...o, ...inner })),
  };
}

/** The tables are looked up at each call: a store may have them only once it is open. */
function guardTables(store: Store, call: Call): Pick<Store, 'servers' | 'instances' | 'events' | 'counters'> {
  return {
    servers: {
      get: (id, o) => call('servers.get', o, (inner) => store.servers.get(id, inner)),
      list: (query, o) => call('servers.list', o, (inner) => store.servers.list(query, inner)),
    },
    instances: {
      get: (id, o) => call('instances.get', o, (inner) => store.instances.get(id, inner)),
      list: (query, o) => call('instances.list', o, (inner) => store.instances.list(query, inner)),
      count: (query, o) => call('instances.count', o, (inner) => store.instances.count(query, inner)),
    },
    events: {
      number: (limit, o) => call('events.number', o, (inner) => store.events.number(limit, inner)),
      read: (query, o) => call('events.read', o, (inner) => store.events.read(query, inner)),
      head: (o) => call('events.head', o, (inner) => store.events.head(inner)),
      cursor: (group, o) => call('events.cursor', o, (inner) => store.events.cursor(group, inner)),
      saveCursor: (group, position, o) =>
        call('events.saveCursor', o, (inner) => store.events.saveCursor(group, position, inner)),
      trim: (before, o) => call('events.trim', o, (inner) => store.events.trim(before, inner)),
    },
    counters: {
      get: (name, o) => call('counters.get', o, (inner) => store.counters.get(name, inner)),
      recount: (o) => call('counters.recount', o, (inner) => store.counters.recount(inner)),
    },
  };
}

function guardLeases({ leases }: Store, call: Call): LeaseTable {
  return {
    acquire: (names, holder, o) => call('leases.acquire', o, (inner) => leases.acquire(names, holder, inner)),
    renew: (holder, o) => call('leases.renew', o, (inner) => leases.renew(holder, inner)),
    release: (names, holderId, o) =>
      call('leases.release', o, (inner) => leases.release(names, holderId, inner)),
    list: (o) => call('leases.list', o, (inner) => leases.list(inner)),
  };
}
