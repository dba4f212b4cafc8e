import { mcpError } from '../../plugin-essentials.js';
import type { CallOptions, StoreWriter } from '../../plugin.js';
import type { Commits } from './commits.js';
import { type Change, MemoryWriter } from './memory-writer.js';
import { aborted, refuseAborted, Turns } from './turns.js';

/** Makes single writes and transactions, one after the other. */
export class Transactions {
  readonly #commits: Commits;
  readonly #holds: (epoch: number) => boolean;
  readonly #turns = new Turns();

  /** @param holds - whether the lease of an epoch is alive */
  constructor(commits: Commits, holds: (epoch: number) => boolean) {
    this.#commits = commits;
    this.#holds = holds;
  }

  /** Runs one write as a transaction of its own. */
  readonly change: Change = async (write, options) => {
    // Becoming durable is waited for outside of the turn, so that writes meanwhile share the next commit.
    const ended = await this.#turns.take(() => {
      const draft = this.#commits.begin();
      return this.#ended(async () => ({ result: write(draft.layer), durable: draft.commit() }));
    }, options);
    return settle(ended, options);
  };

  /** Runs several writes as one. */
  async run<T>(work: (writer: StoreWriter) => Promise<T>, options?: CallOptions): Promise<T> {
    const ended = await this.#turns.take(async () => {
      const draft = this.#commits.begin();
      let over = false;
      const writer = new MemoryWriter(async (write, writeOptions) => {
        if (over)
          throw mcpError('INVALID_ARGUMENT', 'The writer of a transaction cannot be used after its end.');
        refuseAborted(writeOptions);
        const step = draft.layer.child();
        const written = write(step);
        step.mergeInto(draft.layer);
        return written;
      }, this.#holds);
      return this.#ended(async () => {
        try {
          const result = await unlessAborted(work(writer), options?.signal);
          return { result, durable: draft.commit() };
        } finally {
          over = true;
        }
      });
    }, options);
    return settle(ended, options);
  }

  /** Resolves when everything accepted so far is durable, or was lost; `undefined` when that is so already. */
  settled(options?: CallOptions): Promise<void> | undefined {
    const inFlight = this.#commits.inFlight()?.catch(() => undefined);
    return inFlight && unlessAborted(inFlight, options?.signal);
  }

  async #ended<T>(work: () => Promise<Written<T>>): Promise<Written<T> | Refused> {
    try {
      return await work();
    } catch (refusal) {
      return { refusal, basis: this.#commits.inFlight() };
    }
  }

  /** Resolves when what was begun is durable. */
  async drained(): Promise<void> {
    await this.#turns.take(() => undefined);
    await this.#commits.close();
  }
}

interface Written<T> {
  readonly result: T;
  readonly durable: Promise<void>;
}

interface Refused {
  readonly refusal: unknown;
  readonly basis: Promise<void> | undefined;
}

/**
 * Gives what was written when it is durable, and tells a refusal when what speaks against the write is durable: a row
 * that a failing disk never took must not be said to exist.
 */
async function settle<T>(ended: Written<T> | Refused, options?: CallOptions): Promise<T> {
  if ('refusal' in ended) {
    await unlessAborted(ended.basis ?? Promise.resolve(), options?.signal);
    throw ended.refusal;
  }
  await ended.durable;
  return ended.result;
}

/** Ends the wait for work that goes on after its caller has given up, so that the next one gets its turn. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(aborted(signal));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
