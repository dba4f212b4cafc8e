import type { Event, EventDraft } from '../domain/events/event.js';
import type { EventType } from '../domain/events/event-map.js';
import type { InstanceRecord } from '../domain/instance/instance-record.js';
import type { DesiredState, InstanceStatus } from '../domain/instance/mcp-server-instance.js';
import type { Page } from '../domain/list-page.js';
import type { MCPServer, MCPServerStatus, Timestamp } from '../domain/server/mcp-server.js';
import type { CallOptions, Unsubscribe, PartReport } from './common.js';

/**
 * Keeps definitions, instances, the event log, leases and counters.
 *
 * Everything given and returned is plain data; the store keeps its own copy, so neither side sees later changes of the
 * other. Failures of the backend are thrown as `STORE_FAILED`. No method retries by itself.
 */
export interface Store extends StoreWriter {
  readonly specificationVersion: 'v1';
  /**
   * Connects and brings the schema up to date. Called once, before anything else; several processes may do so at once.
   *
   * @throws `STORE_LOCKED`, `STORE_CORRUPT`, `STORE_VERSION`, `STORE_FAILED`
   */
  open(options?: CallOptions): Promise<StoreIdentity>;
  /** Writes what is still buffered and disconnects. Idempotent. */
  close(options?: CallOptions): Promise<void>;
  readonly servers: ServerTable;
  readonly instances: InstanceTable;
  readonly events: EventLog;
  readonly leases: LeaseTable;
  readonly counters: CounterTable;
  /**
   * Runs several writes as one: all become visible together, or none when `work` rejects.
   *
   * `work` must use the writer it is given and nothing slow; it may be run again when the store had to start over.
   */
  transaction<T>(work: (writer: StoreWriter) => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * Resolves when the store can write. Asked when leases are renewed, for a store that keeps those elsewhere than its rows.
   *
   * @throws why it cannot, such as a full disk
   */
  canWrite?(options?: CallOptions): Promise<void>;
  /** The store's clock, which decides on leases and on every time that processes compare. */
  now(options?: CallOptions): Promise<Timestamp>;
  /**
   * Calls back when something is new, also from other processes; may repeat, may miss some.
   *
   * @param report - to be told while what other processes do is not heard of as it happens
   */
  watch?(listener: (news: StoreNews) => void, report?: PartReport): Unsubscribe;
}

/**
 * What is new in a store: events were `committed` and want a position, events were `numbered` and can be read, or
 * `leases` were given back.
 */
export type StoreNews = 'committed' | 'numbered' | 'leases';

/** Who owns what the store describes. */
export interface StoreIdentity {
  /** Made once with the store and kept in it: tells an empty or restored store from the right one. */
  readonly storeId: string;
  /** The name of the fleet, given by the host or made once with the store. */
  readonly fleet: string;
  /** Whether the store outlives the process. */
  readonly durable: boolean;
}

/** The methods that change rows; each commits its row, events and counters together. */
export interface StoreWriter {
  /** @throws `ALREADY_EXISTS` for the same tenant, name and version, or the same id */
  createServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer>;
  /**
   * Replaces the row whose `resourceVersion` is that of `server`, and raises it.
   *
   * @throws `CONFLICT` when the row has another version or is gone
   */
  updateServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer>;
  /** Absent resolves, without events. */
  deleteServer(id: string, effects: WriteEffects, options?: CallOptions): Promise<void>;
  /** @throws `ALREADY_EXISTS` for the same tenant and name, or the same id, and `LIMIT_EXCEEDED` by a counter */
  createInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord>;
  /**
   * Replaces the row whose `resourceVersion` is that of `record`, and raises it.
   *
   * @throws `CONFLICT` when the row has another version or is gone, `LEASE_LOST` when `effects.fence` does not hold
   */
  updateInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord>;
  /** Removes the row of that version. Absent resolves, without events. @throws `CONFLICT`, `LEASE_LOST` */
  deleteInstance(record: InstanceRecord, effects: WriteEffects, options?: CallOptions): Promise<void>;
  /** Appends events that belong to no row. @throws `LEASE_LOST` when `options.fence` does not hold */
  appendEvents(events: readonly EventDraft[], options?: AppendOptions): Promise<void>;
}

/** What commits together with a row. */
export interface WriteEffects {
  readonly events: readonly EventDraft[];
  /** Counters changed in the same statement. */
  readonly counters?: readonly CounterChange[] | undefined;
  /**
   * The epoch of the lease under which a worker writes. It holds while that lease has not run out or changed hands, and
   * the row was never written under a higher one. A failed fence is told before a conflict.
   */
  readonly fence?: number | undefined;
}

/** How events are appended that belong to no row. */
export interface AppendOptions extends CallOptions {
  /** As in {@link WriteEffects.fence}, but for the row. */
  readonly fence?: number | undefined;
}

/** A change of one counter. */
export interface CounterChange {
  /** `instances`, or `instances/<tenant>`. */
  readonly name: string;
  readonly by: number;
  /** The counter may not pass this; `LIMIT_EXCEEDED` otherwise. */
  readonly max?: number | undefined;
}

/** Which servers are asked for; fields left out do not restrict. */
export interface ServerQuery {
  /** Rows of this tenant, and public rows of others. */
  readonly tenant?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** Every label must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Every tag must be there. */
  readonly tags?: readonly string[] | undefined;
  readonly status?: readonly MCPServerStatus[] | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Which instances are asked for; fields left out do not restrict. */
export interface InstanceQuery {
  readonly tenant?: string | undefined;
  readonly name?: string | undefined;
  readonly slug?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The tags of the server it was made of; every tag must be there. */
  readonly tags?: readonly string[] | undefined;
  readonly status?: readonly InstanceStatus[] | undefined;
  readonly desiredState?: DesiredState | undefined;
  readonly type?: string | undefined;
  readonly serverSpecId?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Reads definitions. */
export interface ServerTable {
  get(id: string, options?: CallOptions): Promise<MCPServer | null>;
  /** @throws `INVALID_ARGUMENT` for a cursor it did not give */
  list(query: ServerQuery, options?: CallOptions): Promise<Page<MCPServer>>;
}

/** Reads instances. */
export interface InstanceTable {
  get(id: string, options?: CallOptions): Promise<InstanceRecord | null>;
  /** @throws `INVALID_ARGUMENT` for a cursor it did not give */
  list(query: InstanceQuery, options?: CallOptions): Promise<Page<InstanceRecord>>;
  count(query: Omit<InstanceQuery, 'limit' | 'cursor'>, options?: CallOptions): Promise<number>;
}

/** The log of committed events. */
export interface EventLog {
  /**
   * Numbers what is committed and not yet numbered, without gaps, and returns it, oldest first. No position is given
   * twice: a store whose data may be put back to an earlier state goes on beyond every position it has ever told. What one transaction
   * appended keeps its order; what was committed before another began comes before it. One relay at a time calls it;
   * a second one that wakes late does no harm.
   */
  number(limit: number, options?: CallOptions): Promise<readonly Event[]>;
  /**
   * Reads numbered events with a position above `after`, oldest first.
   *
   * @throws `CURSOR_EXPIRED` when events above `after` have been removed by the retention; `details.oldest` is the
   * position of the first one left, or that the next one will get
   */
  read(query: EventQuery, options?: CallOptions): Promise<readonly Event[]>;
  /**
   * The position of the newest numbered event, 0 in an empty log. A read that begins later sees everything up to it: that
   * is how a reader with a filter knows how far it has looked.
   */
  head(options?: CallOptions): Promise<number>;
  /** The cursor a group last saved, or `null`. */
  cursor(group: string, options?: CallOptions): Promise<number | null>;
  /** Saves a group's cursor; a lower one than saved is ignored. */
  saveCursor(group: string, position: number, options?: CallOptions): Promise<void>;
  /** Sets a group's cursor wherever it was; `null` forgets the group and its dead letters. */
  setCursor(group: string, position: number | null, options?: CallOptions): Promise<void>;
  /** The groups whose names begin so, by name. */
  cursors(prefix: string, options?: CallOptions): Promise<readonly GroupCursor[]>;
  /** Keeps an event that a group could not handle; one kept already is replaced. The retention leaves it alone. */
  addDeadLetter(group: string, letter: DeadLetter, options?: CallOptions): Promise<void>;
  /** The dead letters of a group above a position, oldest first. */
  deadLetters(
    group: string,
    query: Pick<EventQuery, 'after' | 'limit'>,
    options?: CallOptions,
  ): Promise<readonly DeadLetter[]>;
  /** Absent resolves. */
  removeDeadLetter(group: string, position: number, options?: CallOptions): Promise<void>;
  /** Removes events older than a point in time. Returns how many. */
  trim(before: Timestamp, options?: CallOptions): Promise<number>;
}

/** How far a group is. */
export interface GroupCursor {
  readonly group: string;
  readonly position: number;
  /** How many dead letters it has. */
  readonly deadLetters: number;
}

/** An event that was given up, as its group left it. */
export interface DeadLetter {
  readonly event: Event;
  /** What the handler said last. */
  readonly error: string;
  /** How often it was handed over. */
  readonly tries: number;
  readonly at: Timestamp;
}

/** Which events are asked for. */
export interface EventQuery {
  readonly after: number;
  /** None above this position. It bounds what a filter has to look through. @defaultValue the head */
  readonly upTo?: number | undefined;
  readonly tenant?: string | undefined;
  readonly types?: readonly EventType[] | undefined;
  readonly subject?: string | undefined;
  readonly limit: number;
}

/** Who reconciles what. The store's clock decides on expiry. */
export interface LeaseTable {
  /** Takes the leases that are free, expired or already the holder's; each change of holder raises the epoch. */
  acquire(names: readonly string[], holder: LeaseHolder, options?: CallOptions): Promise<readonly Lease[]>;
  /** Prolongs all of a holder's leases and returns those it still has. */
  renew(holder: LeaseHolder, options?: CallOptions): Promise<readonly Lease[]>;
  /** Gives leases back; those of others are left alone. */
  release(names: readonly string[], holderId: string, options?: CallOptions): Promise<void>;
  list(options?: CallOptions): Promise<readonly Lease[]>;
}

/** Who asks for leases. */
export interface LeaseHolder {
  readonly id: string;
  readonly ttlMs: number;
  /** Where other processes reach the holder, where it listens. */
  readonly address?: string | undefined;
}

/** A lease as the store has it. */
export interface Lease {
  /** `<placement>/<shard>`, or `relay`. */
  readonly name: string;
  readonly holderId: string;
  /** The fence of writes: raised with every change of holder, and in the whole store no two leases have the same. */
  readonly epoch: number;
  readonly expiresAt: Timestamp;
  readonly address: string | null;
}

/** Numbers that are changed in the same statement as the rows they count. */
export interface CounterTable {
  get(name: string, options?: CallOptions): Promise<number>;
  /** Counts the rows anew, repairs the counters and returns those that were wrong. */
  recount(options?: CallOptions): Promise<readonly CounterDrift[]>;
}

/** A counter that did not agree with the rows. */
export interface CounterDrift {
  readonly name: string;
  readonly was: number;
  readonly is: number;
}
