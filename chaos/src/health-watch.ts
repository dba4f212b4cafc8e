import { setTimeout as sleep } from 'node:timers/promises';
import { healthBounds, judgeHealth } from './health-judge.js';
import { MemberError, type MemberProcess } from './member-process.js';
import type { ToldHealth } from './member-protocol.js';
import type { Outages } from './outages.js';
import { seconds } from './seconds.js';

const everyMs = 500;

/** A process that can be asked for its health. */
export type Watched = Pick<MemberProcess, 'name' | 'role' | 'sinceMs' | 'ask'>;

/** Asks each process of a fleet for its health all the time, and compares the answers with what is true. */
export class HealthWatch {
  readonly #outages: Outages;
  readonly #answerMs: number;
  readonly #ending = new AbortController();
  readonly #ended: Promise<undefined>;
  readonly #loops: Promise<unknown>;
  readonly #hung = new Tally();
  readonly #rejected = new Tally();
  readonly #wrong = new Tally();

  constructor(members: readonly Watched[], outages: Outages, answerMs: number = healthBounds.answerMs) {
    this.#outages = outages;
    this.#answerMs = answerMs;
    this.#ended = new Promise((resolve) => {
      this.#ending.signal.addEventListener('abort', () => resolve(undefined));
    });
    this.#loops = Promise.all(members.map((member) => this.#follow(member)));
  }

  /** Times without an answer. */
  get hung(): readonly string[] {
    return this.#hung.sentences;
  }

  /** Answers that were an error. */
  get rejected(): readonly string[] {
    return this.#rejected.sentences;
  }

  /** Answers that were not true. */
  get wrong(): readonly string[] {
    return this.#wrong.sentences;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loops;
  }

  async #follow(member: Watched): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#look(member);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(member: Watched): Promise<void> {
    const { sinceMs, name, role } = member;
    if (sinceMs === undefined) return;
    const askedMs = this.#outages.nowMs;
    const asked = member.ask({ ask: 'health' });
    if (!(await this.#isInTime(asked))) {
      if (this.#ending.signal.aborted) return;
      const stalled = this.#outages.all.some(
        ({ of, members, toMs }) => of === 'process' && members.includes(name) && toMs > askedMs,
      );
      if (!stalled) this.#hung.add(`${name} did not answer within ${String(this.#answerMs)} ms`, askedMs);
    }
    try {
      const told = (await Promise.race([asked, this.#ended])) as ToldHealth | undefined;
      if (!told) return;
      const answer = {
        ...told,
        member: name,
        role,
        sinceMs: sinceMs - this.#outages.startedMs,
        askedMs,
        answeredMs: this.#outages.nowMs,
      };
      for (const wrong of judgeHealth(answer, this.#outages.all)) this.#wrong.add(wrong, askedMs);
    } catch (error) {
      const isGone = error instanceof MemberError && error.code === 'GONE';
      if (!isGone) this.#rejected.add(`${name} rejected with ${String(error)}`, askedMs);
    }
  }

  /** Whether there is an answer, or an error, in time. */
  async #isInTime(asked: Promise<unknown>): Promise<boolean> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#ending.signal]);
    const late = sleep(this.#answerMs, false, { signal }).catch(() => false);
    const done = asked.then(
      () => true,
      () => true,
    );
    const inTime = await Promise.race([done, late]);
    over.abort();
    return inTime;
  }
}

/** Counts sentences, each told once with how often it was so, and when. */
class Tally {
  readonly #times = new Map<string, { count: number; readonly firstMs: number; lastMs: number }>();

  get sentences(): readonly string[] {
    return [...this.#times].map(
      ([text, { count, firstMs, lastMs }]) =>
        `${text} [${String(count)} times, ${seconds(firstMs)} to ${seconds(lastMs)}]`,
    );
  }

  add(text: string, atMs: number): void {
    const known = this.#times.get(text);
    if (known) {
      known.count += 1;
      known.lastMs = atMs;
    } else {
      this.#times.set(text, { count: 1, firstMs: atMs, lastMs: atMs });
    }
  }
}
