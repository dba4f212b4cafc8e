import type { Lease } from '../../ports/store.js';

interface Held {
  readonly epoch: number;
  readonly untilMs: number;
  /** The request whose answer told of it. */
  readonly request: number;
}

/**
 * What this process may believe to hold, from the answers of requests that cross: an older answer takes nothing away that
 * a newer one has told of, and brings nothing back that was given back since.
 */
export class HeldLeases {
  readonly #held = new Map<string, Held>();
  /** The request by which a lease was given back. */
  readonly #released = new Map<string, number>();
  #requests = 0;

  /** Numbers a request that is about to be sent. */
  request(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** Takes in leases that were taken. */
  taken(leases: readonly Lease[], { request, untilMs }: Pick<Held, 'request' | 'untilMs'>): void {
    for (const { name, epoch } of leases) {
      if (request < Math.max(this.#held.get(name)?.request ?? 0, this.#released.get(name) ?? 0)) continue;
      this.#released.delete(name);
      this.#held.set(name, { epoch, untilMs, request });
    }
  }

  /** Takes in all that were prolonged: what is not among them is lost. */
  renewed(leases: readonly Lease[], answer: Pick<Held, 'request' | 'untilMs'>): void {
    const names = new Set(leases.map(({ name }) => name));
    for (const [name, { request }] of this.#held)
      if (request < answer.request && !names.has(name)) this.#held.delete(name);
    this.taken(leases, answer);
  }

  /** Forgets leases that are about to be given back. */
  release(names: readonly string[]): void {
    const request = this.request();
    for (const name of names) {
      this.#held.delete(name);
      this.#released.set(name, request);
    }
  }

  clear(): void {
    this.#held.clear();
  }

  get(name: string): Pick<Held, 'epoch' | 'untilMs'> | undefined {
    return this.#held.get(name);
  }

  names(): readonly string[] {
    return [...this.#held.keys()].sort();
  }

  /** When the first of them ends; `Infinity` without any. */
  get untilMs(): number {
    return Math.min(...[...this.#held.values()].map(({ untilMs }) => untilMs));
  }
}
