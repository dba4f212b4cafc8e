import { ignoreError, mcpError, Recurring, systemClock } from '@mcpinfra/core/plugin';
import type { Queries, Queryable } from '../database/database.js';
import type { LeaseStatements } from '../sql/lease-statements.js';
import { planned } from '../sql/statement.js';

/** In milliseconds. */
const times = Object.freeze({
  look: 200,
  /** So long a holder has to connect again, when all connections were cut, before others have its leases. */
  grace: 800,
});

const whoAmI = planned('select pg_backend_pid() as pid');

/**
 * Tells holders of leases that died from those that live, long before their leases run out: each shows itself by a lock
 * that ends with its connection, which the system closes when a process is killed.
 *
 * Behind a pooler, where connections say nothing of processes, nobody is watched and leases run out by themselves.
 */
export class HolderPresence {
  readonly #statements: LeaseStatements;
  /** By connection, who shows itself by it. */
  readonly #shown = new WeakMap<Queries, Set<string>>();
  readonly #looking: Recurring;
  readonly #ended = new AbortController();

  /** @param onGone - told when the leases of a dead holder were cut short */
  constructor(database: Queryable, statements: LeaseStatements, onGone: () => void) {
    this.#statements = statements;
    this.#looking = new Recurring({
      clock: systemClock,
      retryMs: times.look,
      work: async () => {
        const gone = await database.query(statements.bury, [times.grace], { signal: this.#ended.signal });
        if (gone.length > 0) onGone();
        return times.look;
      },
      // Whoever needs the database tells that it is away.
      failed: ignoreError,
    });
  }

  /** Begins to look for holders that died. Idempotent. */
  watch(): void {
    void this.#looking.now();
  }

  /** Waits for no answer: a server that hangs keeps no store from closing. */
  async stop(): Promise<void> {
    this.#ended.abort(mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.'));
    await this.#looking.stop();
  }

  /** Whether others see when the holder is gone. */
  isShown(session: Queries, holderId: string): boolean {
    return this.#shown.get(session)?.has(holderId) === true;
  }

  /** @returns whether others see from now on when the holder is gone */
  async show(session: Queries, holderId: string): Promise<boolean> {
    if (this.isShown(session, holderId)) return true;
    if (session.processId === undefined) return false;
    const [row] = await session.query(whoAmI, []);
    // A pooler gives numbers of its own.
    if (Number(row?.['pid']) !== session.processId) return false;
    await session.query(this.#statements.show, [holderId]);
    this.#shown.set(session, (this.#shown.get(session) ?? new Set()).add(holderId));
    return true;
  }
}
