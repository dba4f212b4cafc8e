import type { Era } from './protocol.js';

const maxRemembered = 10_000;

/**
 * Remembers which era a stdio server turned out to speak.
 *
 * It has to outlive the link: a server may end at the very question, and its next copy must not be asked again.
 */
export class EraMemory {
  readonly #eras = new Map<string, Era>();

  get(instanceId: string): Era | undefined {
    return this.#eras.get(instanceId);
  }

  set(instanceId: string, era: Era): void {
    this.#eras.delete(instanceId);
    this.#eras.set(instanceId, era);
    for (const oldest of this.#eras.keys()) {
      if (this.#eras.size <= maxRemembered) break;
      this.#eras.delete(oldest);
    }
  }
}
