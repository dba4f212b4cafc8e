import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { abortError, onAbort } from './abort.js';
import type { Timers } from './timers.js';

/** Where a piece of work is counted. */
export interface SlotKey {
  /** What bounds the work, such as a placement: so many run at once in each group. */
  readonly group: string;
  /** Whose work it is, such as a tenant's: who waits in the same group take turns by this. */
  readonly share: string;
}

/** A slot that is held. */
export interface HeldSlot extends SlotKey {
  /** Since when, on the clock's monotonic scale. */
  readonly sinceMs: number;
}

/** Who stands in line in a group: by share, the one whose turn is next first; no share without anybody. */
interface Group {
  inUse: number;
  waiting: number;
  readonly lines: Map<string, Set<() => void>>;
}

/**
 * Bounds how many pieces of work run at once in each of many groups; in a group the shares that wait take turns, and
 * within a share it is first come, first served.
 *
 * So one share that asks for a thousand slots makes another wait for one turn, and a group that hangs holds up no other.
 * Each step costs the same however many wait, and nothing is kept of a group that nobody uses.
 */
export class FairSlots {
  readonly #count: number;
  readonly #clock: Pick<Timers, 'monotonicMs'>;
  readonly #groups = new Map<string, Group>();
  /** In the order in which they were taken. */
  readonly #held = new Set<HeldSlot>();

  /**
   * @param count - how many run at once in each group
   * @throws `INVALID_OPTIONS` for a count that is not a whole number above 0
   */
  constructor(count: number, clock: Pick<Timers, 'monotonicMs'>) {
    if (!Number.isInteger(count) || count < 1) {
      throw mcpError(
        'INVALID_OPTIONS',
        `Expected a number of slots of 1 or more, got ${count}; give a whole number above 0.`,
      );
    }
    this.#count = count;
    this.#clock = clock;
  }

  /** How many groups are in use. */
  get groups(): number {
    return this.#groups.size;
  }

  /** How many pieces of work run in a group, or in all. */
  inUse(group?: string): number {
    return group === undefined ? this.#held.size : (this.#groups.get(group)?.inUse ?? 0);
  }

  /** How many stand in line in a group. */
  waiting(group: string): number {
    return this.#groups.get(group)?.waiting ?? 0;
  }

  /** The slots held for longer than a time, the longest first. */
  stuck(olderThanMs: number): readonly HeldSlot[] {
    const limitMs = this.#clock.monotonicMs() - olderThanMs;
    const stuck: HeldSlot[] = [];
    for (const held of this.#held) {
      if (held.sinceMs >= limitMs) break;
      stuck.push(held);
    }
    return stuck;
  }

  /**
   * Runs work when it has a slot and frees the slot when the work is over.
   *
   * An abort ends the waiting only; work that has begun looks at the signal itself.
   *
   * @throws `ABORTED`, or the reason of the signal when it is an error of this library
   */
  async run<T>({ group, share }: SlotKey, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) throw abortError(signal, 'Waiting for a slot');
    const known = this.#groups.get(group) ?? { inUse: 0, waiting: 0, lines: new Map() };
    this.#groups.set(group, known);
    if (known.inUse < this.#count) known.inUse++;
    else await this.#turn(known, share, signal);
    const held: HeldSlot = { group, share, sinceMs: this.#clock.monotonicMs() };
    this.#held.add(held);
    try {
      return await work();
    } finally {
      this.#held.delete(held);
      this.#free(group, known);
    }
  }

  /** Resolves once a slot has been handed over, still counted as in use, so that nobody can slip in between. */
  #turn(group: Group, share: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = group.lines.get(share) ?? new Set();
      group.lines.set(share, line);
      const leave = (): void => {
        group.waiting--;
        line.delete(enter);
        if (line.size === 0) group.lines.delete(share);
      };
      const stopListening =
        signal &&
        onAbort(signal, () => {
          leave();
          reject(abortError(signal, 'Waiting for a slot'));
        });
      const enter = (): void => {
        stopListening?.();
        leave();
        resolve();
      };
      group.waiting++;
      line.add(enter);
    });
  }

  #free(key: string, group: Group): void {
    const [next] = group.lines;
    if (next === undefined) {
      group.inUse--;
      if (group.inUse === 0) this.#groups.delete(key);
      return;
    }
    const [share, line] = next;
    // To the end, behind all who wait now.
    group.lines.delete(share);
    if (line.size > 1) group.lines.set(share, line);
    const [enter] = line;
    enter?.();
  }
}
