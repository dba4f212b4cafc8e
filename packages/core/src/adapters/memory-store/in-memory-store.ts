import { Listeners, mcpError } from '../../plugin-essentials.js';
import type {
  CallOptions,
  Clock,
  CounterTable,
  InstanceTable,
  Lease,
  LeaseHolder,
  LeaseTable,
  ServerTable,
  Store,
  StoreIdentity,
  StoreNews,
  StoreWriter,
  Timestamp,
  Unsubscribe,
} from '../../plugin.js';
import type { Backing, OpenBacking } from './backing.js';
import type { Committed } from './committed.js';
import type { Layer } from './layer.js';
import { MemoryEventLog } from './memory-event-log.js';
import { MemoryLeases } from './memory-leases.js';
import { instancesFor, serversFor } from './memory-tables.js';
import { MemoryWriter } from './memory-writer.js';
import { pageOf, rowsOf } from './pages.js';
import { recount } from './recount.js';
import { Transactions } from './transactions.js';
import { refuseAborted } from './turns.js';

/** What an {@link InMemoryStore} is made of. */
export interface InMemoryStoreParts {
  readonly backing: Backing;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly eventRetention: number;
}

interface Open extends OpenBacking {
  readonly transactions: Transactions;
  readonly leases: MemoryLeases;
}

/** A store whose rows are read from memory, wherever they are kept. */
export class InMemoryStore extends MemoryWriter implements Store {
  readonly specificationVersion = 'v1';
  readonly servers: ServerTable;
  readonly instances: InstanceTable;
  readonly events: MemoryEventLog;
  readonly leases: LeaseTable;
  readonly counters: CounterTable;
  readonly #parts: InMemoryStoreParts;
  // A listener's failure is not the writer's: what was committed stays committed.
  readonly #listeners = new Listeners<StoreNews>(() => undefined);
  #open: Open | undefined;
  /** Whether somebody has opened it, or is about to. */
  #inUse = false;
  #closed: Promise<void> | undefined;

  constructor(parts: InMemoryStoreParts) {
    super(
      (write, options) => this.#opened(options).transactions.change(write, options),
      (epoch) => this.#open?.leases.holds(epoch) === true,
    );
    this.#parts = parts;
    const committed = async (options?: CallOptions): Promise<Committed> => {
      const { committed, transactions } = this.#opened(options);
      await transactions.settled(options);
      return committed;
    };
    const leases = (options?: CallOptions): MemoryLeases => this.#opened(options).leases;
    this.servers = {
      get: async (id, options) => (await committed(options)).layer.servers.get(id) ?? null,
      list: async (query, options) => pageOf(serversFor(await committed(options), query), query),
    };
    this.instances = {
      get: async (id, options) => (await committed(options)).layer.instances.get(id) ?? null,
      list: async (query, options) => pageOf(instancesFor(await committed(options), query), query),
      count: async (query, options) => {
        let count = 0;
        for (const _row of rowsOf(instancesFor(await committed(options), query))) count += 1;
        return count;
      },
    };
    this.events = new MemoryEventLog({
      reading: async (options) => (await committed(options)).layer,
      change: (write, options) => this.#opened(options).transactions.change(write, options),
      retention: parts.eventRetention,
    });
    this.leases = {
      acquire: async (names, holder, options) => this.#acquire(names, holder, options),
      renew: async (holder, options) => leases(options).renew(holder),
      release: async (names, holderId, options) => {
        if (leases(options).release(names, holderId)) this.#listeners.tell('leases');
      },
      list: async (options) => leases(options).list(),
    };
    this.counters = {
      get: async (name, options) => (await committed(options)).layer.counters.get(name) ?? 0,
      recount: async (options) => this.#opened(options).transactions.change(recount, options),
    };
  }

  async open(options?: CallOptions): Promise<StoreIdentity> {
    refuseAborted(options);
    if (this.#inUse) {
      throw mcpError(
        'STORE_LOCKED',
        'This store is open already: another infra of this process has it. Give each infra a store of its own, or use one infra and its scopes.',
      );
    }
    this.#inUse = true;
    const backing = await this.#parts.backing
      .open((changes) => this.#applied(changes))
      .catch((error: unknown) => {
        this.#inUse = false;
        throw error;
      });
    const leases = new MemoryLeases(this.#parts.clock, backing.committed.layer.mark('epoch'));
    const transactions = new Transactions(backing.commits, (epoch) => leases.holds(epoch));
    this.#open = { ...backing, leases, transactions };
    return backing.identity;
  }

  async close(): Promise<void> {
    this.#inUse = false;
    this.#closed ??= this.#open?.transactions.drained() ?? Promise.resolve();
    await this.#closed;
  }

  async transaction<T>(work: (writer: StoreWriter) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#opened(options).transactions.run(work, options);
  }

  async canWrite(options?: CallOptions): Promise<void> {
    await this.#opened(options).commits.canWrite();
  }

  async now(options?: CallOptions): Promise<Timestamp> {
    this.#opened(options);
    return new Date(this.#parts.clock.now()).toISOString();
  }

  watch(listener: (news: StoreNews) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  #opened(options: CallOptions | undefined): Open {
    refuseAborted(options);
    if (this.#closed !== undefined)
      throw mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.');
    if (this.#open === undefined)
      throw mcpError('NOT_STARTED', 'The store is not open yet; call open() first.');
    return this.#open;
  }

  /** In a turn of the writers: no lease changes hands between the check of a fence and the commit it is for. */
  async #acquire(
    names: readonly string[],
    holder: LeaseHolder,
    options?: CallOptions,
  ): Promise<readonly Lease[]> {
    const { leases, transactions } = this.#opened(options);
    return transactions.change((layer) => {
      const taken = leases.acquire(names, holder);
      // Epochs are kept, though leases are not: one that was given before a restart must not mean another lease after.
      if (leases.epoch > layer.mark('epoch')) layer.marks.set('epoch', leases.epoch);
      return taken;
    }, options);
  }

  #applied(changes: Layer): void {
    const changed = new Map(changes.marks.changes());
    if (changed.has('last')) this.#listeners.tell('committed');
    if (changed.has('head')) this.#listeners.tell('numbered');
  }
}
