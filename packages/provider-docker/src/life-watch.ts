import type { OwnedRef } from './labels.js';

/** What the event stream and our own looks tell of containers beyond what the engine remembers of them. */
export class LifeWatch {
  /** Containers that were last seen to run. */
  readonly #running = new Map<string, OwnedRef>();
  /** Those of them that ran when the event stream broke. */
  readonly #atRisk = new Set<string>();
  readonly #outOfMemory = new Set<string>();

  sawRunning(id: string, owned: OwnedRef): void {
    if (this.#running.has(id) && !this.#atRisk.has(id)) return;
    this.#running.set(id, owned);
    this.#atRisk.delete(id);
    this.#outOfMemory.delete(id);
  }

  sawDeath(id: string): void {
    this.#running.delete(id);
    this.#atRisk.delete(id);
  }

  sawOutOfMemory(id: string): void {
    this.#outOfMemory.add(id);
  }

  forget(id: string): void {
    this.sawDeath(id);
    this.#outOfMemory.delete(id);
  }

  /** The event stream broke: of whatever ends from now on without word, the engine's end is the cause. */
  streamLost(): void {
    for (const id of this.#running.keys()) this.#atRisk.add(id);
  }

  /** Whether a container that ended did so with the engine, not by itself. */
  endedWithEngine(id: string): boolean {
    return this.#atRisk.has(id);
  }

  ranOutOfMemory(id: string): boolean {
    return this.#outOfMemory.has(id);
  }

  /** Every copy that was last seen to run. */
  known(): readonly OwnedRef[] {
    return [...this.#running.values()];
  }
}
