import { mcpError, MCPInfraError, messageOf } from '../../plugin.js';
import type { Committed } from '../memory-store/committed.js';
import type { Commits, Draft } from '../memory-store/commits.js';
import type { Layer } from '../memory-store/layer.js';

/** What {@link FileCommits} works with. */
export interface FileCommitsParts {
  readonly file: string;
  readonly committed: Committed;
  /** Refuses what could not be read again. */
  readonly prepare: (changes: Layer) => void;
  /** Resolves when the changes are durable; when it rejects, nothing of them is kept. */
  readonly append: (changes: Layer) => Promise<void>;
  /** Writes something that means nothing, as large as what is usually written. */
  readonly tryOut: () => Promise<void>;
  /** Told of everything that was committed. */
  readonly applied: (changes: Layer) => void;
  /** Lets go of the file. */
  readonly release: () => Promise<void>;
}

/** Commits that arrived while the file was being written, and share the next writing. */
class Batch {
  changes: Layer;
  isEmpty = true;
  readonly durable: Promise<void>;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(changes: Layer) {
    this.changes = changes;
    this.durable = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Everyone in it hears of a failure; the batch itself need not.
    this.durable.catch(() => undefined);
  }

  add(changes: Layer): void {
    changes.mergeInto(this.changes);
    this.isEmpty = false;
  }

  /** Puts the same changes on top of another layer. */
  rebase(base: Layer): void {
    const { changes } = this;
    this.changes = base.child();
    changes.mergeInto(this.changes);
  }

  settle(error?: Error): void {
    if (error === undefined) this.#settle?.resolve();
    else this.#settle?.reject(error);
  }
}

/**
 * Commits that last as long as a file.
 *
 * Writers see what was accepted before them, on disk or not: it is either written before theirs or refused together
 * with theirs. Readers wait for it instead: what they are told never turns out not to have happened, and is never older
 * than what their next write will be checked against.
 */
export class FileCommits implements Commits {
  readonly #parts: FileCommitsParts;
  #next: Batch;
  #current: Batch | undefined;
  #writing: Promise<void> | undefined;
  /** How often accepted changes were lost; a draft begun before the last time is based on what is no more. */
  #losses = 0;
  /** Whether a writing has failed since it was last tried out; a few bytes that fit since then prove nothing. */
  #isDoubtful = false;

  constructor(parts: FileCommitsParts) {
    this.#parts = parts;
    this.#next = new Batch(parts.committed.layer.child());
  }

  begin(): Draft {
    const layer = this.#next.changes.child();
    const losses = this.#losses;
    return {
      layer,
      commit: () => {
        if (losses !== this.#losses)
          throw this.#failed('what the transaction was based on could not be written');
        return this.#accept(layer);
      },
    };
  }

  inFlight(): Promise<void> | undefined {
    return this.#next.isEmpty ? this.#current?.durable : this.#next.durable;
  }

  /** What failed once is tried out, so that it is known to work again also where nobody writes meanwhile. */
  async canWrite(): Promise<void> {
    if (!this.#isDoubtful) return;
    try {
      await this.#parts.tryOut();
      this.#isDoubtful = false;
    } catch (cause) {
      throw MCPInfraError.isInstance(cause) ? cause : this.#failed(messageOf(cause), cause);
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#parts.release();
  }

  #accept(changes: Layer): Promise<void> {
    // What has nothing to write may still be based on what is being written.
    if (changes.isEmpty) return this.inFlight() ?? Promise.resolve();
    this.#parts.prepare(changes);
    this.#next.add(changes);
    const { durable } = this.#next;
    this.#writing ??= this.#writeAll();
    return durable;
  }

  async #writeAll(): Promise<void> {
    while (!this.#next.isEmpty) {
      const batch = this.#next;
      this.#current = batch;
      this.#next = new Batch(batch.changes.child());
      const failure = await this.#parts.append(batch.changes).then(
        () => undefined,
        (cause: unknown) => ({ cause }),
      );
      if (failure === undefined) this.#keep(batch);
      else this.#drop(batch, failure.cause);
    }
    this.#current = undefined;
    this.#writing = undefined;
  }

  #keep(batch: Batch): void {
    this.#parts.committed.apply(batch.changes);
    this.#next.rebase(this.#parts.committed.layer);
    this.#current = undefined;
    batch.settle();
    this.#parts.applied(batch.changes);
  }

  #drop(batch: Batch, cause: unknown): void {
    const later = this.#next;
    this.#losses += 1;
    this.#isDoubtful = true;
    this.#next = new Batch(this.#parts.committed.layer.child());
    this.#current = undefined;
    const error = MCPInfraError.isInstance(cause) ? cause : this.#failed(messageOf(cause), cause);
    batch.settle(error);
    later.settle(error);
  }

  #failed(why: string, cause?: unknown): Error {
    return mcpError('STORE_FAILED', `The store could not write ${this.#parts.file}: ${why}.`, {
      details: { file: this.#parts.file },
      cause,
    });
  }
}
