import { underSignals } from '../async/abort.js';
import { nextTurn } from '../async/next-turn.js';
import type { ErrorCode } from '../domain/errors/error-codes.js';
import { hasCode } from '../domain/errors/has-code.js';
import { normaliseError } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import type { Page } from '../domain/list-page.js';
import type { CallOptions } from '../ports/common.js';
import type { EventQuery, LeaseTable, Store, StoreIdentity, StoreWriter } from '../ports/store.js';
import { Guard, type GuardOptions } from './guard.js';
import { guardedListener } from './guarded-listener.js';
import { backwards, endless, expiredInVain, misfit } from './store-answers.js';

/** What a store fails with for its own reasons, and not because of what was asked. */
const ownFailures: readonly ErrorCode[] = ['STORE_FAILED', 'STORE_LOCKED', 'PLUGIN_TIMEOUT'];

/** A call for a part of what there is. */
interface Part<T> {
  readonly method: string;
  /** What the part is expected to be, besides of the right shape, where it is not so. */
  readonly fault: (part: T) => string | undefined;
  /** Whether whoever gets it asks for the next one at once: everything else has its turn before. */
  readonly goesOn: (part: T) => boolean;
}

/** What is called: a method by its name. */
type Asked<T> = string | Part<T>;

/** Makes one call of a table within the deadline of the store, and checks the answer before anybody goes by it. */
type Call = <T>(
  asked: Asked<T>,
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
  const answering =
    <T>(asked: Asked<T>, work: (inner: CallOptions) => Promise<T>) =>
    async (inner: CallOptions): Promise<T> => {
      const answer = await work(inner);
      const method = nameOf(asked);
      const part = typeof asked === 'string' ? undefined : asked;
      const expected = misfit(method, answer) ?? part?.fault(answer);
      if (expected !== undefined) throw guard.breach(method, expected, answer);
      if (part?.goesOn(answer) === true) await nextTurn();
      return answer;
    };
  const plain: Call = (asked, o, work) =>
    guard.call(nameOf(asked), { timeoutMs: storeMs, signal: o?.signal }, answering(asked, work));
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (hasCode(error, ...ownFailures)) options.failed?.();
      throw error;
    }
  };
  const call: Call = (asked, o, work) => told(plain(asked, o, work));

  return {
    specificationVersion,
    open: (o) =>
      guard.open(
        o,
        answering('open', (bounds) => store.open(bounds)),
      ),
    close: (o) => guard.close(o, (bounds) => store.close(bounds)),
    ...guardWriter(store, call),
    ...guardTables(store, call),
    leases: guardLeases(store, plain),
    transaction: (work, { signal } = {}) =>
      told(
        guard.call('transaction', { timeoutMs: transactionMs, signal }, (bounds) => {
          const callInside: Call = (asked, o, write) =>
            underSignals([bounds.signal, o?.signal], (ends) => plain(asked, { signal: ends }, write));
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
      list: (query, o) =>
        call(pageAfter('servers.list', query), o, (inner) => store.servers.list(query, inner)),
    },
    instances: {
      get: (id, o) => call('instances.get', o, (inner) => store.instances.get(id, inner)),
      list: (query, o) =>
        call(pageAfter('instances.list', query), o, (inner) => store.instances.list(query, inner)),
      count: (query, o) => call('instances.count', o, (inner) => store.instances.count(query, inner)),
    },
    events: {
      number: (limit, o) => call('events.number', o, (inner) => store.events.number(limit, inner)),
      read: (query, o) =>
        call(eventsAfter(query), o, async (inner) => {
          try {
            return await store.events.read(query, inner);
          } catch (error) {
            throw expiredInVain(error, query.after) ?? error;
          }
        }),
      head: (o) => call('events.head', o, (inner) => store.events.head(inner)),
      cursor: (group, o) => call('events.cursor', o, (inner) => store.events.cursor(group, inner)),
      saveCursor: (group, position, o) =>
        call('events.saveCursor', o, (inner) => store.events.saveCursor(group, position, inner)),
      setCursor: (group, position, o) =>
        call('events.setCursor', o, (inner) => store.events.setCursor(group, position, inner)),
      cursors: (prefix, o) => call('events.cursors', o, (inner) => store.events.cursors(prefix, inner)),
      addDeadLetter: (group, letter, o) =>
        call('events.addDeadLetter', o, (inner) => store.events.addDeadLetter(group, letter, inner)),
      deadLetters: (group, query, o) =>
        call('events.deadLetters', o, (inner) => store.events.deadLetters(group, query, inner)),
      removeDeadLetter: (group, position, o) =>
        call('events.removeDeadLetter', o, (inner) => store.events.removeDeadLetter(group, position, inner)),
      trim: (before, o) => call('events.trim', o, (inner) => store.events.trim(before, inner)),
    },
    counters: {
      get: (name, o) => call('counters.get', o, (inner) => store.counters.get(name, inner)),
      recount: (o) => call('counters.recount', o, (inner) => store.counters.recount(inner)),
    },
  };
}

function nameOf<T>(asked: Asked<T>): string {
  return typeof asked === 'string' ? asked : asked.method;
}

function pageAfter<T>(method: string, { cursor }: { readonly cursor?: string | undefined }): Part<Page<T>> {
  return {
    method,
    fault: (page) => endless(page, cursor),
    goesOn: ({ nextCursor }) => nextCursor !== null,
  };
}

function eventsAfter({ after, limit }: EventQuery): Part<readonly Event[]> {
  return {
    method: 'events.read',
    fault: (read) => backwards(read, after),
    goesOn: ({ length }) => length >= limit,
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
