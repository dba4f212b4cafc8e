import { randomUUID } from 'node:crypto';
import { troubleLease } from '../../domain/fleet/lease-names.js';
import type { ServiceContext } from '../context/service-context.js';

/** Three times as long as they are renewed at the latest. */
const ttlMs = 45_000;

/** The leases by which a process says that it is the one to tell the end of a trouble, for as long as it lives. */
export class TroubleLeases {
  readonly #context: Pick<ServiceContext, 'store'>;
  readonly #holderId = `trouble:${randomUUID()}`;
  readonly #mine = new Set<string>();

  constructor(context: Pick<ServiceContext, 'store'>) {
    this.#context = context;
  }

  /** The parts whose end this process is to tell. */
  get mine(): ReadonlySet<string> {
    return this.#mine;
  }

  /** Keeps those it has of these parts, takes those that nobody has, and gives all others back. */
  async hold(parts: readonly string[]): Promise<void> {
    const { leases } = this.#context.store;
    const others = [...this.#mine].filter((part) => !parts.includes(part));
    if (others.length > 0) await this.#release(others);
    if (parts.length === 0) return;
    const held = await leases.acquire(parts.map(troubleLease), { id: this.#holderId, ttlMs });
    const names = new Set(held.map(({ name }) => name));
    for (const part of parts) {
      if (names.has(troubleLease(part))) this.#mine.add(part);
      else this.#mine.delete(part);
    }
  }

  /** Leaves all to others. */
  async release(): Promise<void> {
    if (this.#mine.size > 0) await this.#release([...this.#mine]);
  }

  async #release(parts: readonly string[]): Promise<void> {
    for (const part of parts) this.#mine.delete(part);
    await this.#context.store.leases.release(parts.map(troubleLease), this.#holderId);
  }
}
