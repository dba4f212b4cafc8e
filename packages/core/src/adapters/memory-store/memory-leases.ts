import type { Clock, Lease, LeaseHolder } from '../../plugin.js';

interface Held {
  readonly holder: LeaseHolder;
  readonly epoch: number;
  /** On the monotonic scale: a clock set back or forth neither prolongs nor ends a lease. */
  readonly untilMs: number;
}

/** Who reconciles what. Not kept in a file: a process that starts finds every lease free. */
export class MemoryLeases {
  readonly #held = new Map<string, Held>();
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  #epoch: number;

  /** @param epoch - the highest one ever given, so that the fence of rows written before goes on rising */
  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>, epoch: number) {
    this.#clock = clock;
    this.#epoch = epoch;
  }

  acquire(names: readonly string[], holder: LeaseHolder): Lease[] {
    const now = this.#clock.monotonicMs();
    const free = names.filter((name) => {
      const held = this.#held.get(name);
      return held === undefined || held.untilMs <= now || held.holder.id === holder.id;
    });
    return free.map((name) => this.#hold(name, holder));
  }

  renew(holder: LeaseHolder): Lease[] {
    return this.list()
      .filter((lease) => lease.holderId === holder.id)
      .map((lease) => this.#hold(lease.name, holder));
  }

  release(names: readonly string[], holderId: string): void {
    for (const name of names) {
      if (this.#held.get(name)?.holder.id === holderId) this.#held.delete(name);
    }
  }

  list(): Lease[] {
    const now = this.#clock.monotonicMs();
    return [...this.#held]
      .filter(([, held]) => held.untilMs > now)
      .map(([name, held]) => this.#show(name, held));
  }

  #hold(name: string, holder: LeaseHolder): Lease {
    const before = this.#held.get(name);
    const epoch = before?.holder.id === holder.id ? before.epoch : (this.#epoch += 1);
    const held = { holder: { ...holder }, epoch, untilMs: this.#clock.monotonicMs() + holder.ttlMs };
    this.#held.set(name, held);
    return this.#show(name, held);
  }

  #show(name: string, { holder, epoch, untilMs }: Held): Lease {
    const expiresAt = new Date(this.#clock.now() + untilMs - this.#clock.monotonicMs()).toISOString();
    return { name, holderId: holder.id, epoch, expiresAt, address: holder.address ?? null };
  }
}
