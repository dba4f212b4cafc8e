import type { CallOptions, Lease, LeaseHolder, LeaseTable } from '@mcpinfra/core/plugin';
import type { Connection, Row } from '../database/database.js';
import type { LeaseStatements } from '../sql/lease-statements.js';
import type { HolderPresence } from './holder-presence.js';

/** What a {@link SqlLeaseTable} works with. */
export interface SqlLeaseTableParts {
  readonly statements: LeaseStatements;
  /** Absent where one process has the database to itself. */
  readonly presence: HolderPresence | undefined;
  /** Told when leases were given back. */
  readonly onReleased: () => void;
}

/** Who reconciles what, by the clock of the database. */
export class SqlLeaseTable implements LeaseTable {
  readonly #database: Connection;
  readonly #parts: SqlLeaseTableParts;

  constructor(database: Connection, parts: SqlLeaseTableParts) {
    this.#database = database;
    this.#parts = parts;
  }

  async acquire(
    names: readonly string[],
    { id, ttlMs, address }: LeaseHolder,
    options?: CallOptions,
  ): Promise<readonly Lease[]> {
    // A name given twice would be changed twice by one statement, which is refused.
    const { statements, presence } = this.#parts;
    const values = [[...new Set(names)], id, ttlMs, address ?? null];
    const rows = await this.#database.use(
      (session) => session.query(statements.acquire, [...values, presence?.isShown(session, id) === true]),
      options,
    );
    return rows.map(leaseOf);
  }

  async renew({ id, ttlMs, address }: LeaseHolder, options?: CallOptions): Promise<readonly Lease[]> {
    const { statements, presence } = this.#parts;
    const rows = await this.#database.use(async (session) => {
      // Who prolongs leases means to hold them for long, and shows by the end of the connection that it is gone.
      const isShown = (await presence?.show(session, id)) === true;
      return session.query(statements.renew, [id, ttlMs, address ?? null, isShown]);
    }, options);
    return rows.map(leaseOf);
  }

  async release(names: readonly string[], holderId: string, options?: CallOptions): Promise<void> {
    const released = await this.#database.query(this.#parts.statements.release, [names, holderId], options);
    if (released.some((row) => row['alive'] === 't')) this.#parts.onReleased();
  }

  async list(options?: CallOptions): Promise<readonly Lease[]> {
    return (await this.#database.query(this.#parts.statements.list, [], options)).map(leaseOf);
  }
}

function leaseOf(row: Row): Lease {
  return {
    name: row['name'] ?? '',
    holderId: row['holder_id'] ?? '',
    epoch: Number(row['epoch']),
    expiresAt: row['expires_at'] ?? '',
    address: row['address'] ?? null,
  };
}
