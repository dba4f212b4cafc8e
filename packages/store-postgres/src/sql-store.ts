import {
  type CallOptions,
  type CounterTable,
  type EventLog,
  type InstanceTable,
  type LeaseTable,
  Once,
  type PartReport,
  type ServerTable,
  type Store,
  type StoreIdentity,
  type StoreNews,
  type StoreWriter,
  throwIfAborted,
  type Timestamp,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';
import type { Connection, Database } from './database/database.js';
import { Gate } from './database/gate.js';
import { News } from './news.js';
import { readIdentity } from './sql/identity.js';
import { leaseStatements, type LeaseStatements } from './sql/lease-statements.js';
import { migrate } from './sql/migrate.js';
import { serverPage } from './sql/lists.js';
import { prepared, quoted } from './sql/statement.js';
import { timestamp } from './sql/timestamp.js';
import { SqlCounterTable } from './tables/sql-counter-table.js';
import { SqlEventLog } from './tables/sql-event-log.js';
import { SqlInstanceTable } from './tables/sql-instance-table.js';
import { HolderPresence } from './tables/holder-presence.js';
import { SqlLeaseTable } from './tables/sql-lease-table.js';
import { SqlRowTable } from './tables/sql-row-table.js';
import { runTransaction } from './tables/sql-transaction.js';
import { SqlWriter, type WriterStatements, writerStatements } from './tables/sql-writer.js';

/** What a {@link SqlStore} is made of. */
export interface SqlStoreParts {
  readonly database: Database;
  /** The name of the schema. */
  readonly schema: string;
  /** The name the host gives to its fleet. */
  readonly fleet: string | undefined;
}

/** A store in PostgreSQL, on a server or embedded. */
export class SqlStore extends SqlWriter implements Store {
  readonly specificationVersion = 'v1';
  readonly servers: ServerTable;
  readonly instances: InstanceTable;
  readonly events: EventLog;
  readonly leases: LeaseTable;
  readonly counters: CounterTable;
  readonly #parts: SqlStoreParts;
  readonly #gate: Gate;
  readonly #news: News;
  readonly #statements: WriterStatements;
  readonly #direct: Connection;
  readonly #leaseStatements: LeaseStatements;
  readonly #presence: HolderPresence | undefined;
  readonly #closing: Once<void>;

  constructor(parts: SqlStoreParts) {
    const schema = quoted(parts.schema);
    const gate = new Gate();
    const shared = gate.before(parts.database);
    const statements = writerStatements(schema);
    const news = new News(parts.database.wire);
    super({
      statements,
      run: (write, options) => shared.use(write, options),
      onAppended: () => news.tell('committed'),
    });
    this.#parts = parts;
    this.#closing = new Once(async () => {
      await this.#presence?.stop();
      await news.sent();
      await parts.database.close();
    });
    this.#gate = gate;
    this.#news = news;
    this.#statements = statements;
    this.#direct = gate.before(parts.database.direct);
    this.servers = new SqlRowTable(shared, { schema, table: 'servers', page: serverPage });
    this.instances = new SqlInstanceTable(shared, schema);
    this.events = new SqlEventLog(shared, schema, () => news.tell('numbered'));
    this.#leaseStatements = leaseStatements(schema);
    const onReleased = (): void => news.tell('leases');
    this.#presence =
      parts.database.wire === undefined
        ? undefined
        : new HolderPresence(this.#direct, this.#leaseStatements, onReleased);
    this.leases = new SqlLeaseTable(this.#direct, {
      statements: this.#leaseStatements,
      presence: this.#presence,
      onReleased,
    });
    this.counters = new SqlCounterTable(shared, schema);
  }

  async open(options?: CallOptions): Promise<StoreIdentity> {
    throwIfAborted(options?.signal);
    this.#gate.refuseClosed();
    const { database, schema } = this.#parts;
    await database.open(options);
    await migrate(database.direct, schema, options);
    // Nobody else can be there: whoever held leases is dead.
    if (database.exclusive === true) await database.direct.query(this.#leaseStatements.void, [], options);
    const identity = await readIdentity({ ...this.#parts, schema: quoted(schema) }, options);
    this.#gate.open();
    return identity;
  }

  async close(): Promise<void> {
    this.#gate.close();
    await this.#closing.get();
  }

  async transaction<T>(work: (writer: StoreWriter) => Promise<T>, options?: CallOptions): Promise<T> {
    this.#gate.pass(options);
    const context = {
      database: this.#parts.database,
      statements: this.#statements,
      onAppended: () => this.#news.tell('committed'),
    };
    return runTransaction(context, work, options);
  }

  async now(options?: CallOptions): Promise<Timestamp> {
    const [row] = await this.#direct.query(now, [], options);
    return row?.['now'] ?? '';
  }

  watch(listener: (news: StoreNews) => void, report?: PartReport): Unsubscribe {
    this.#presence?.watch();
    return this.#news.watch(listener, report);
  }
}

const now = prepared(`select ${timestamp('clock_timestamp()')} as now`);
