import { type CallOptions, mcpError, throwIfAborted } from '@mcpinfra/core/plugin';
import type { Connection } from './database.js';

/** Refuses what is asked for before a store is open, and once it is closed. */
export class Gate {
  #state: 'new' | 'open' | 'closed' = 'new';

  open(): void {
    if (this.#state === 'new') this.#state = 'open';
  }

  close(): void {
    this.#state = 'closed';
  }

  /** @throws `NOT_STARTED`, `ALREADY_STOPPED`, `ABORTED` */
  pass(options: CallOptions | undefined): void {
    throwIfAborted(options?.signal);
    this.refuseClosed();
    if (this.#state === 'new') throw mcpError('NOT_STARTED', 'The store is not open yet; call open() first.');
  }

  /** @throws `ALREADY_STOPPED` */
  refuseClosed(): void {
    if (this.#state === 'closed')
      throw mcpError('ALREADY_STOPPED', 'The store has been closed; make a new one.');
  }

  /** Stands before a connection. */
  before(connection: Connection): Connection {
    return {
      query: async (statement, values, options) => {
        this.pass(options);
        return connection.query(statement, values, options);
      },
      use: async (work, options) => {
        this.pass(options);
        return connection.use(work, options);
      },
      transaction: async (work, options) => {
        this.pass(options);
        return connection.transaction(work, options);
      },
    };
  }
}
