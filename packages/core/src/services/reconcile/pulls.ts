import { onAbort } from '../../async/abort.js';

/** A fetch under way for one copy. */
export interface Pull {
  /** Resolves when all is there. @throws what the provider threw */
  readonly done: Promise<void>;
  /** Resolves when something is really fetched, not only looked for. */
  readonly began: Promise<void>;
}

interface OwnPull extends Pull {
  readonly revision: number;
  readonly ending: AbortController;
}

/**
 * What is fetched for copies, apart from the passes that wait for it: news about an instance ends a pass, and the next one
 * goes on with the same fetch.
 */
export class Pulls {
  readonly #underWay = new Map<string, Set<OwnPull>>();

  /** How many are under way. */
  get size(): number {
    return [...this.#underWay.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Joins the fetch for a copy, or begins it. It ends when `signal` fires, or by {@link Pulls.keepOnly}.
   *
   * @param work - calls `began` when something is fetched
   */
  join(
    copy: { readonly id: string; readonly revision: number; readonly signal: AbortSignal },
    work: (signal: AbortSignal, began: () => void) => Promise<void>,
  ): Pull {
    const { id, revision, signal } = copy;
    const pull = this.#find(id, revision) ?? this.#begin(id, revision, work);
    const release = onAbort(signal, () => {
      pull.ending.abort(signal.reason);
    });
    pull.done.then(release, release);
    return pull;
  }

  /** Ends what is fetched for an instance but for the given revisions. */
  keepOnly(id: string, revisions: readonly number[]): void {
    for (const { revision, ending } of this.#underWay.get(id) ?? [])
      if (!revisions.includes(revision)) ending.abort();
  }

  /** Ends everything. */
  stop(): void {
    for (const id of this.#underWay.keys()) this.keepOnly(id, []);
  }

  #find(id: string, revision: number): OwnPull | undefined {
    return [...(this.#underWay.get(id) ?? [])].find(
      (pull) => pull.revision === revision && !pull.ending.signal.aborted,
    );
  }

  #begin(
    id: string,
    revision: number,
    work: (signal: AbortSignal, began: () => void) => Promise<void>,
  ): OwnPull {
    const ending = new AbortController();
    let tell: () => void = () => undefined;
    const began = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const done = work(ending.signal, tell);
    const pull: OwnPull = { revision, ending, began, done };
    const known = this.#underWay.get(id) ?? new Set();
    this.#underWay.set(id, known.add(pull));
    const remove = (): void => {
      known.delete(pull);
      if (known.size === 0 && this.#underWay.get(id) === known) this.#underWay.delete(id);
    };
    // Whoever waited may be gone.
    done.then(remove, remove);
    return pull;
  }
}
