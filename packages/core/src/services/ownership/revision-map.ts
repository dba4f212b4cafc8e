/** Values by instance and revision: found one by one, and all of an instance without looking at others. */
export class RevisionMap<T> {
  readonly #values = new Map<string, Map<number, T>>();

  /** How many there are. */
  get size(): number {
    return [...this.#values.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get(instanceId: string, revision: number): T | undefined {
    return this.#values.get(instanceId)?.get(revision);
  }

  set(instanceId: string, revision: number, value: T): void {
    const known = this.#values.get(instanceId) ?? new Map<number, T>();
    this.#values.set(instanceId, known.set(revision, value));
  }

  delete(instanceId: string, revision: number): void {
    const known = this.#values.get(instanceId);
    known?.delete(revision);
    if (known?.size === 0) this.#values.delete(instanceId);
  }

  /** Those of an instance, by revision. */
  of(instanceId: string): readonly (readonly [revision: number, value: T])[] {
    return [...(this.#values.get(instanceId) ?? [])];
  }

  /** Takes away all of an instance, and returns them. */
  take(instanceId: string): readonly T[] {
    const taken = this.of(instanceId).map(([, value]) => value);
    this.#values.delete(instanceId);
    return taken;
  }

  all(): readonly T[] {
    return [...this.#values.values()].flatMap((known) => [...known.values()]);
  }

  clear(): void {
    this.#values.clear();
  }
}
