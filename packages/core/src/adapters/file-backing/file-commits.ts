import { mcpError, messageOf } from '../../plugin.js';
import type { Committed } from '../memory-store/committed.js';
import type { Commits, Draft } from '../memory-store/commits.js';
import type { Layer } from '../memory-store/layer.js';
import type { Replacement } from './replace-file.js';

/** What {@link FileCommits} works with. */
export interface FileCommitsParts {
  readonly file: string;
  readonly committed: Committed;
  /** Refuses what could not be read again. */
  readonly prepare: (changes: Layer) => void;
  /** Writes everything that is seen from a layer. */
  readonly write: (rows: Layer) => Promise<Replacement>;
  /** Told of everything that was committed. */
  readonly applied: (changes: Layer) => void;
  /** Lets go of the file. */
  readonly release: () => Promise<void>;
}

/** Commits that arrived while the file was being written, and share the next writing. */
class Batch {
  readonly changes: Layer;
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(changes: Layer) {
    this.changes = changes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  join(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  takeWaiting(other: Batch): void {
    this.#waiting.push(...other.#waiting);
  }

  settle(error?: Error): void {
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }
}

/**
 * Commits that last as long as a file.
 *
 * Readers see only what is on disk. Writers see what was accepted before them too: it is either written before theirs
 * or refused together with theirs.
 */
export class FileCommits implements Commits {
  readonly #parts: FileCommitsParts;
  #next: Batch;
  #writing: Promise<void> | undefined;
  /** How often accepted changes were lost; a draft begun before the last time is based on what is no more. */
  #losses = 0;

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

  async close(): Promise<void> {
    await this.#writing;
    await this.#parts.release();
  }

  #accept(changes: Layer): Promise<void> {
    if (changes.isEmpty && this.#writing === undefined) return Promise.resolve();
    this.#parts.prepare(changes);
    changes.mergeInto(this.#next.changes);
    const durable = this.#next.join();
    this.#writing ??= this.#writeAll();
    return durable;
  }

  async #writeAll(): Promise<void> {
    while (!this.#next.isEmpty) {
      const batch = this.#next;
      this.#next = new Batch(batch.changes.child());
      const result = await this.#parts.write(batch.changes);
      if (result.replaced) this.#keep(batch, result);
      else this.#drop(batch, result.cause);
    }
    this.#writing = undefined;
  }

  #keep(batch: Batch, result: Replacement): void {
    this.#parts.committed.apply(batch.changes);
    const next = new Batch(this.#parts.committed.layer.child());
    this.#next.changes.mergeInto(next.changes);
    next.takeWaiting(this.#next);
    this.#next = next;
    batch.settle('cause' in result ? this.#failed(messageOf(result.cause), result.cause) : undefined);
    this.#parts.applied(batch.changes);
  }

  #drop(batch: Batch, cause: unknown): void {
    const later = this.#next;
    this.#losses += 1;
    this.#next = new Batch(this.#parts.committed.layer.child());
    const error = this.#failed(messageOf(cause), cause);
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
