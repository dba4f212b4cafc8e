import type { Timers } from './timers.js';

interface Entry<K> {
  readonly key: K;
  dueMs: number;
  /** Decides among what is due at the same time, and tells what was set during a firing. */
  order: number;
  index: number;
}

/**
 * One due time for each of many keys, on a single timer of the clock.
 *
 * Setting, moving and deleting cost O(log n). Keys are called back in order of time, once each.
 */
export class TimerHeap<K> {
  readonly #clock: Timers;
  readonly #onDue: (key: K) => void;
  readonly #entries = new Map<K, Entry<K>>();
  /** A binary heap: no entry is due before its parent, `(index - 1) >> 1`. */
  readonly #heap: Entry<K>[] = [];
  #order = 0;
  #firing = false;
  #armed: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(clock: Timers, onDue: (key: K) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** How many keys are waiting. */
  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest key is due, on the monotonic scale; `Infinity` when there is none. */
  get nextDueMs(): number {
    return this.#heap[0]?.dueMs ?? Infinity;
  }

  /** When a key is due, on the monotonic scale; `undefined` for one that is not waiting. */
  dueMs(key: K): number | undefined {
    return this.#entries.get(key)?.dueMs;
  }

  /** Calls back for the key at `dueMs` of the monotonic scale, and no more at an earlier set time. The past means now. */
  set(key: K, dueMs: number): void {
    const due = Math.max(dueMs, this.#clock.monotonicMs());
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, dueMs: due, order: this.#order++, index: this.#heap.length };
      this.#entries.set(key, entry);
      this.#heap.push(entry);
    } else {
      entry.dueMs = due;
      entry.order = this.#order++;
    }
    this.#restore(entry);
    this.#arm();
  }

  /** Forgets a key. Tells whether it was waiting. */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    this.#arm();
    return true;
  }

  /** Forgets every key. */
  clear(): void {
    this.#entries.clear();
    this.#heap.length = 0;
    this.#arm();
  }

  #fire(): void {
    this.#armed = undefined;
    this.#firing = true;
    const now = this.#clock.monotonicMs();
    // A callback may set its own key for now again: that is for the next turn, or this loop would never end.
    const order = this.#order;
    try {
      for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
        if (first.dueMs > now || first.order >= order) break;
        this.#remove(first);
        this.#onDue(first.key);
      }
    } finally {
      this.#firing = false;
      this.#arm();
    }
  }

  /** A timer that is early does no harm, so it is left alone; one that is late or for nothing is replaced. */
  #arm(): void {
    if (this.#firing) return;
    const dueMs = this.nextDueMs;
    if (this.#armed !== undefined) {
      if (this.#heap.length > 0 && this.#armed.dueMs <= dueMs) return;
      this.#armed.cancel();
      this.#armed = undefined;
    }
    if (this.#heap.length === 0) return;
    const delayMs = Math.max(0, dueMs - this.#clock.monotonicMs());
    this.#armed = { dueMs, cancel: this.#clock.schedule(delayMs, () => this.#fire()) };
  }

  #remove(entry: Entry<K>): void {
    this.#entries.delete(entry.key);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#put(last, entry.index);
    this.#restore(last);
  }

  /** Moves an entry whose time has changed to where it belongs. */
  #restore(entry: Entry<K>): void {
    for (let parent = this.#parent(entry); parent !== undefined && isBefore(entry, parent);) {
      this.#swap(entry, parent);
      parent = this.#parent(entry);
    }
    for (let child = this.#firstChild(entry); child !== undefined && isBefore(child, entry);) {
      this.#swap(entry, child);
      child = this.#firstChild(entry);
    }
  }

  #parent({ index }: Entry<K>): Entry<K> | undefined {
    return index === 0 ? undefined : this.#heap[(index - 1) >> 1];
  }

  #firstChild({ index }: Entry<K>): Entry<K> | undefined {
    const left = this.#heap[2 * index + 1];
    const right = this.#heap[2 * index + 2];
    return left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
  }

  #swap(a: Entry<K>, b: Entry<K>): void {
    const index = a.index;
    this.#put(a, b.index);
    this.#put(b, index);
  }

  #put(entry: Entry<K>, index: number): void {
    entry.index = index;
    this.#heap[index] = entry;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
