import type { CallOptions, Lease, LeaseHolder, LeaseTable } from '@mcpinfra/core/plugin';
import type { Queryable, Row } from '../database/database.js';
import { leaseStatements, type LeaseStatements } from '../sql/lease-statements.js';

/** Who reconciles what, by the clock of the database. */
export class SqlLeaseTable implements LeaseTable {
  readonly #database: Queryable;
  readonly #statements: LeaseStatements;
  readonly #onReleased: () => void;

  /** @param onReleased - told when leases were given back */
  constructor(database: Queryable, schema: string, onReleased: () => void) {
    this.#database = database;
    this.#statements = leaseStatements(schema);
    this.#onReleased = onReleased;
  }

  async acquire(
    names: readonly string[],
    { id, ttlMs, address }: LeaseHolder,
    options?: CallOptions,
  ): Promise<readonly Lease[]> {
    // A name given twice would be changed twice by one statement, which is refused.
    const values = [[...new Set(names)], id, ttlMs, address ?? null];
    return (await this.#database.query(this.#statements.acquire, values, options)).map(leaseOf);
  }

  async renew({ id, ttlMs, address }: LeaseHolder, options?: CallOptions): Promise<readonly Lease[]> {
    const values = [id, ttlMs, address ?? null];
    return (await this.#database.query(this.#statements.renew, values, options)).map(leaseOf);
  }

  async release(names: readonly string[], holderId: string, options?: CallOptions): Promise<void> {
    const released = await this.#database.query(this.#statements.release, [names, holderId], options);
    if (released.some((row) => row['alive'] === 't')) this.#onReleased();
  }

  async list(options?: CallOptions): Promise<readonly Lease[]> {
    return (await this.#database.query(this.#statements.list, [], options)).map(leaseOf);
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
