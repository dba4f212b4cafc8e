/**
 * Keyed values that can be changed on trial: a child sees through to its parent until its own changes are merged.
 */
export class Cells<K, V> {
  readonly #parent: Cells<K, V> | undefined;
  // Made on the first change: most writes touch few of the tables. In a child, `undefined` marks what was deleted.
  #own: Map<K, V | undefined> | undefined;

  constructor(parent?: Cells<K, V>) {
    this.#parent = parent;
  }

  get(key: K): V | undefined {
    if (this.#own?.has(key) === true) return this.#own.get(key);
    return this.#parent?.get(key);
  }

  set(key: K, value: V): void {
    (this.#own ??= new Map()).set(key, value);
  }

  delete(key: K): void {
    if (this.#parent === undefined) this.#own?.delete(key);
    else (this.#own ??= new Map()).set(key, undefined);
  }

  get isUnchanged(): boolean {
    return this.#own === undefined;
  }

  /** What was changed here, `undefined` for what was deleted; of a root, everything. */
  changes(): Iterable<[K, V | undefined]> {
    return this.#own ?? [];
  }

  /** Everything that is seen from here. */
  entries(): Map<K, V> {
    const all = this.#parent?.entries() ?? new Map<K, V>();
    for (const [key, value] of this.changes()) {
      if (value === undefined) all.delete(key);
      else all.set(key, value);
    }
    return all;
  }

  mergeInto(target: Cells<K, V>): void {
    for (const [key, value] of this.changes()) {
      if (value === undefined) target.delete(key);
      else target.set(key, value);
    }
  }
}
