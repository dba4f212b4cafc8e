import type { Clock, Lease, LeaseHolder } from '../../plugin.js';

interface Held {
  readonly holder: LeaseHolder;
  readonly epoch: number;
  /** On the monotonic scale: a clock set back or forth neither prolongs nor ends a lease. */
  readonly untilMs: number;
}

/**
 * Who reconciles what. Not kept in a file: a process that starts finds every lease free.
 *
 * A holder that takes its expired lease again before anyone else did keeps the epoch: nobody has written under another.
 */
export class MemoryLeases {
  readonly #held = new Map<string, Held>();
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  #epoch: number;

  /** @param epoch - the highest one ever given */
  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>, epoch: number) {
    this.#clock = clock;
    this.#epoch = epoch;
  }

  /** The highest epoch ever given. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the lease of an epoch is still what it was: not expired, given back or taken by another. */
  holds(epoch: number): boolean {
    const now = this.#clock.monotonicMs();
    return [...this.#held.values()].some((held) => held.epoch === epoch && held.untilMs > now);
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

  /** Returns whether any of them was still held. */
  release(names: readonly string[], holderId: string): boolean {
    const now = this.#clock.monotonicMs();
    let freed = false;
    for (const name of names) {
      const held = this.#held.get(name);
      if (held?.holder.id !== holderId) continue;
      this.#held.delete(name);
      freed ||= held.untilMs > now;
    }
    return freed;
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
