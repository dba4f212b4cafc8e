import type { CallOptions } from '@mcpinfra/core/plugin';
import type { Statement } from '../sql/statement.js';

/** A row as the server wrote it: every value is text. */
export type Row = Readonly<Record<string, string | null>>;

/** What runs statements. */
export interface Queryable {
  /** Runs one statement; outside of a transaction it commits by itself. */
  query(statement: Statement, values: readonly unknown[], options?: CallOptions): Promise<readonly Row[]>;
}

/** What a piece of work runs statements on. */
export interface Queries {
  /** Which process of the server has the connection, as the server says; unknown where there is no server. */
  readonly processId?: number | undefined;
  query(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>;
  /** Runs a statement for what it changes. Returns how many rows it wrote, or returned where it wrote none. */
  change(statement: Statement, values: readonly unknown[]): Promise<number>;
}

/** A connection that one transaction has to itself. */
export interface Session extends Queries {
  /** Runs several statements without values. */
  script(text: string): Promise<void>;
}

/** What runs statements and transactions. */
export interface Connection extends Queryable {
  /** Has a piece of work run statements that commit by themselves, one after the other. */
  use<T>(work: (session: Queries) => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * Runs the work between `begin` and `commit`. Rolled back when it rejects, also when the signal ends the wait: the
   * work is then not waited for.
   */
  transaction<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** The database of a store. Every failure is an error of the library, see `storeError`. */
export interface Database extends Connection {
  /** A connection that no other work can hold up: for leases, the clock, migrations and news. */
  readonly direct: Connection;
  /** Whether what is committed outlives the process. */
  readonly durable: boolean;
  /** Whether no other process can have it open, so that whoever held leases before is dead. @defaultValue false */
  readonly exclusive?: boolean | undefined;
  /** Connects. Called again when it failed. */
  open(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
  /** Brings news to other processes and from them; absent where there are none. */
  readonly wire?: NewsWire;
}

/** How news travel between processes. Hints only: what is lost is found by a sweep. */
export interface NewsWire {
  send(message: string): Promise<void>;
  /** Listens until the database is closed, over losses of the connection. */
  listen(listener: WireListener): void;
}

/** Who hears of news. */
export interface WireListener {
  /** Another process sent a message. */
  onMessage(message: string): void;
  /** Messages may have been missed: the connection is new. */
  onGap(): void;
  /** Messages do not arrive, as behind a pooler or while the connection is lost; called every second. */
  onSilence(): void;
  /** Whether the connection that messages arrive by is there, and why not. */
  onHearing(isHearing: boolean, why?: string): void;
}
