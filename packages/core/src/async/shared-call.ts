/** Calls under way by key: who asks for the same meanwhile shares the answer; nothing is kept of it afterwards. */
export class SharedCalls<K, T> {
  readonly #underWay = new Map<K, Promise<T>>();

  /** How many are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Joins the call for the key, or makes it. @throws what the call threw */
  get(key: K, call: () => Promise<T>): Promise<T> {
    const known = this.#underWay.get(key);
    if (known) return known;
    const made = this.#make(key, call);
    this.#underWay.set(key, made);
    return made;
  }

  async #make(key: K, call: () => Promise<T>): Promise<T> {
    // Not at once: a call that ends at once must not be removed before it is there.
    await Promise.resolve();
    try {
      return await call();
    } finally {
      // Before the promise settles, so that who asks after the end is not given what was before.
      this.#underWay.delete(key);
    }
  }
}
