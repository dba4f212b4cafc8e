import {
  type CallOptions,
  KeyedTurns,
  mcpError,
  type StoreWriter,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { Database, Queries, Session } from '../database/database.js';
import { mustStartOver } from '../database/store-error.js';
import { SqlWriter, type WriterStatements } from './sql-writer.js';

/** What transactions need. */
export interface TransactionContext {
  readonly database: Database;
  readonly statements: WriterStatements;
  /** Told when a transaction that appended events has committed. */
  readonly onAppended: () => void;
}

const attempts = 3;

/** Runs several writes as one; begins again where the server asks for it because of others at the same time. */
export async function runTransaction<T>(
  context: TransactionContext,
  work: (writer: StoreWriter) => Promise<T>,
  options?: CallOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const trial = new Trial(context.statements);
    try {
      const result = await context.database.transaction((session) => trial.run(session, work), options);
      if (trial.appended) context.onAppended();
      return result;
    } catch (error) {
      const again = trial.undone !== undefined || mustStartOver(error);
      if (!again || attempt === attempts || options?.signal?.aborted === true) throw error;
    } finally {
      trial.end();
    }
  }
}

/** One try of a transaction. */
class Trial {
  readonly #statements: WriterStatements;
  readonly #turns = new KeyedTurns();
  #over = false;
  #appended = false;
  #undone: unknown;

  constructor(statements: WriterStatements) {
    this.#statements = statements;
  }

  get appended(): boolean {
    return this.#appended;
  }

  /** The failure by which the server asked to begin again. */
  get undone(): unknown {
    return this.#undone;
  }

  end(): void {
    this.#over = true;
  }

  async run<T>(session: Session, work: (writer: StoreWriter) => Promise<T>): Promise<T> {
    const writer = new SqlWriter({
      statements: this.#statements,
      onAppended: () => (this.#appended = true),
      // One after the other: a savepoint belongs to one write.
      run: (write, options) =>
        this.#turns.take('', options?.signal, () => this.#write(session, write, options)),
    });
    let result: T;
    try {
      result = await work(writer);
    } finally {
      // What the work did not wait for ends first: after the transaction it would be written for good.
      this.#over = true;
      await this.#turns.take('', undefined, async () => undefined);
    }
    // The work may have caught it, but what the server undid is not there.
    if (this.#undone !== undefined) throw this.#undone as Error;
    return result;
  }

  /** A write that fails undoes itself only: the work may catch it and go on. */
  async #write<T>(
    session: Session,
    write: (session: Queries) => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    if (this.#over) {
      throw mcpError('INVALID_ARGUMENT', 'The writer of a transaction cannot be used after its end.');
    }
    throwIfAborted(options?.signal);
    await session.script('savepoint write');
    try {
      return await write(session);
    } catch (error) {
      if (mustStartOver(error)) this.#undone = error;
      await session.script('rollback to savepoint write').catch(() => undefined);
      throw error;
    }
  }
}
