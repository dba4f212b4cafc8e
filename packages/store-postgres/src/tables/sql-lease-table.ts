import type { CallOptions, Lease, LeaseHolder, LeaseTable } from '@mcpinfra/core/plugin';
import type { Connection, Queries, Row } from '../database/database.js';
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
    const { statements } = this.#parts;
    const values = [[...new Set(names)], id, ttlMs, address ?? null];
    return this.#shown(id, options, (session, isShown) =>
      session.query(statements.acquire, [...values, isShown]),
    );
  }

  async renew({ id, ttlMs, address }: LeaseHolder, options?: CallOptions): Promise<readonly Lease[]> {
    const { statements } = this.#parts;
    return this.#shown(id, options, (session, isShown) =>
      session.query(statements.renew, [id, ttlMs, address ?? null, isShown]),
    );
  }

  async release(names: readonly string[], holderId: string, options?: CallOptions): Promise<void> {
    const released = await this.#database.query(this.#parts.statements.release, [names, holderId], options);
    if (released.some((row) => row['alive'] === 't')) this.#parts.onReleased();
  }

  async list(options?: CallOptions): Promise<readonly Lease[]> {
    return (await this.#database.query(this.#parts.statements.list, [], options)).map(leaseOf);
  }

  /** Writes on a connection by whose end others see that the holder is gone, where there is one. */
  async #shown(
    holderId: string,
    options: CallOptions | undefined,
    write: (session: Queries, isShown: boolean) => Promise<readonly Row[]>,
  ): Promise<readonly Lease[]> {
    const rows = await this.#database.use(async (session) => {
      const isShown = (await this.#parts.presence?.show(session, holderId)) === true;
      return write(session, isShown);
    }, options);
    return rows.map(leaseOf);
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
