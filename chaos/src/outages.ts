import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultClass } from './schedule.js';

/** What a fleet's `health()` calls the parts of its surroundings. */
export type Part = 'store' | 'event-bus' | 'provider:docker';

/** A time during which something did not work for some processes of the fleet. */
export interface Outage {
  /** A part of the surroundings; or the process itself, or its database pool. */
  readonly of: Part | 'process' | 'pool';
  /** The names of the processes that it met. */
  readonly members: readonly string[];
  /** In words: `frozen`. */
  readonly how: string;
  readonly fromMs: number;
  /** `Infinity` while it lasts. */
  toMs: number;
}

/** What is done to a victim. */
export interface Damage {
  /** What does not work meanwhile, and for whom; nothing where nobody needs to notice. */
  readonly outage?: Pick<Outage, 'of' | 'members' | 'how'> | undefined;
  readonly forMs: number;
  /** What goes before, while all works. */
  readonly prepare?: () => Promise<void>;
  readonly harm: () => Promise<void>;
  readonly mend: () => Promise<void>;
}

/** Breaks things, mends each after its time, and knows when what was broken for whom. */
export class Outages {
  /** When it was made, by this process's clock. */
  readonly startedMs = performance.now();
  /** The same by the calendar. */
  readonly startedAtMs = Date.now();
  readonly #away = new Set<unknown>();
  readonly #returns = new Set<Promise<void>>();
  readonly #all: Outage[] = [];
  readonly #counts = new Map<FaultClass, number>();
  /** What could not be done or mended, each as a sentence. */
  readonly failed: string[] = [];

  /** The time since it was made, in milliseconds: what all times of outages are counted in. */
  get nowMs(): number {
    return performance.now() - this.startedMs;
  }

  /** In the order in which they began. */
  get all(): readonly Outage[] {
    return this.#all;
  }

  /** How many of each class there really were. */
  get counts(): ReadonlyMap<FaultClass, number> {
    return this.#counts;
  }

  count(name: FaultClass): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Does the damage, unless something else has the same victim now. */
  begin(name: FaultClass, victim: unknown, damage: Damage): void {
    if (this.#away.has(victim)) return;
    this.#away.add(victim);
    this.count(name);
    this.follow(
      this.#run(damage).finally(() => {
        this.#away.delete(victim);
      }),
    );
  }

  /** Waits for the work too before all is settled. */
  follow(work: Promise<void>): void {
    const followed = work
      .catch((error: unknown) => {
        this.failed.push(String(error));
      })
      .finally(() => {
        this.#returns.delete(followed);
      });
    this.#returns.add(followed);
  }

  /** Resolves when everything is mended. */
  async settled(): Promise<void> {
    while (this.#returns.size > 0) await Promise.all(this.#returns);
  }

  async #run({ outage, forMs, prepare, harm, mend }: Damage): Promise<void> {
    await prepare?.();
    const noted = outage && { ...outage, fromMs: this.nowMs, toMs: Infinity };
    if (noted) this.#all.push(noted);
    await insist(harm);
    await sleep(forMs);
    await insist(mend);
    if (noted) noted.toMs = this.nowMs;
  }
}

/** A service that has been killed may need more than one try to come back, above all a container engine. */
async function insist(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries >= 5) throw error;
      await sleep(1_000);
    }
  }
}
