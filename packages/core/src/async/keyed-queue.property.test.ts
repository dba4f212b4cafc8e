import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReconcileContext, ReconcileResult } from './keyed-work.js';
import { manualClock } from '../testing/manual-clock.js';
import { KeyedQueue } from './keyed-queue.js';

const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
const key = fc.constantFrom(...keys);
const pick = fc.nat({ max: 20 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('add' as const), key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wish' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('later' as const), key, ms: fc.integer({ min: -1, max: 50 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      pick,
      requeueAfterMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('fail' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('idle' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const retryMs = 20;

/** A pass as the schedule drives it. */
interface RunningPass {
  readonly key: string;
  waits: boolean;
  forgotten: boolean;
  readonly finish: (result: ReconcileResult) => void;
  readonly fail: () => void;
  readonly wait: () => void;
}

class Schedule {
  readonly clock = manualClock();
  readonly queue: KeyedQueue;
  readonly running: RunningPass[] = [];
  /** Keys with news that no pass has begun after. */
  readonly owed = new Set<string>();
  /** When a key is to be looked at the latest, where it is known. */
  readonly due = new Map<string, number>();
  readonly broken: string[] = [];

  readonly parallel: number;

  constructor(parallel: number, heedsSignal: boolean) {
    this.parallel = parallel;
    this.queue = new KeyedQueue({
      clock: this.clock,
      parallel,
      onError: () => {
        throw new Error('a listener that throws');
      },
      retryMs: () => retryMs,
      reconcile: (name, context) => {
        if (this.running.some((pass) => pass.key === name)) this.broken.push(`two passes of ${name}`);
        const isDue = (this.due.get(name) ?? Infinity) <= this.clock.monotonicMs();
        if (!this.owed.has(name) && !isDue) this.broken.push(`a pass of ${name} for nothing`);
        this.owed.delete(name);
        this.due.delete(name);
        const result = this.#pass(name, context, heedsSignal);
        if (this.running.filter(({ waits }) => !waits).length > parallel)
          this.broken.push('too many at work');
        return result;
      },
    });
  }

  #pass(name: string, { signal, waiting }: ReconcileContext, heedsSignal: boolean): Promise<ReconcileResult> {
    return new Promise((resolve, reject) => {
      const leave = (then: () => void) => () => {
        const index = this.running.indexOf(pass);
        if (index === -1) return;
        this.running.splice(index, 1);
        then();
      };
      let end: ((result: ReconcileResult) => void) | undefined;
      const pass: RunningPass = {
        key: name,
        waits: false,
        forgotten: false,
        finish: (result) => (end === undefined ? leave(() => resolve(result))() : end(result)),
        fail: leave(() => reject(new Error('failed'))),
        wait: () => {
          if (pass.waits) return;
          pass.waits = true;
          const waited = waiting(() => new Promise<ReconcileResult>((done) => (end = done)));
          const over = leave(() => resolve(waited));
          waited.then(over, over);
        },
      };
      this.running.push(pass);
      if (heedsSignal)
        signal.addEventListener(
          'abort',
          leave(() => reject(signal.reason as Error)),
        );
    });
  }

  async take(next: Step): Promise<void> {
    const chosen = 'pick' in next ? this.running[next.pick % Math.max(1, this.running.length)] : undefined;
    switch (next.type) {
      case 'add':
      case 'wish':
        this.owed.add(next.key);
        this.queue.add(next.key, next.type === 'add' ? 'hint' : 'wish-changed');
        break;
      case 'later': {
        this.#isDueAfter(next.key, Math.max(0, next.ms));
        this.queue.addAfter(next.key, next.ms);
        break;
      }
      case 'finish':
        if (chosen?.forgotten === false) this.#isDueAfter(chosen.key, next.requeueAfterMs ?? Infinity);
        chosen?.finish({ requeueAfterMs: next.requeueAfterMs });
        break;
      case 'fail':
        if (chosen?.forgotten === false) this.#isDueAfter(chosen.key, retryMs);
        chosen?.fail();
        break;
      case 'wait':
        chosen?.wait();
        break;
      case 'forget':
        this.owed.delete(next.key);
        this.due.delete(next.key);
        for (const pass of this.running) pass.forgotten ||= pass.key === next.key;
        this.queue.forget(next.key);
        break;
      case 'advance':
        await this.clock.advance(next.ms);
        break;
      case 'idle':
        void this.queue.idle().then(() => this.#checkIdle());
    }
    await this.clock.advance(0);
    this.#checkDue();
    const open = this.queue.inFlight;
    if (open !== this.running.length) this.broken.push(`in flight ${open}, in truth ${this.running.length}`);
  }

  #isDueAfter(name: string, ms: number): void {
    const due = Math.min(this.clock.monotonicMs() + ms, this.due.get(name) ?? Infinity);
    if (due < Infinity) this.due.set(name, due);
  }

  /** What is due runs, unless it runs already or there is no place. */
  #checkDue(): void {
    if (this.running.filter(({ waits }) => !waits).length >= this.parallel) return;
    for (const [name, due] of this.due) {
      if (due > this.clock.monotonicMs() || this.running.some((pass) => pass.key === name)) continue;
      this.broken.push(`${name} missed its time`);
    }
  }

  #checkIdle(): void {
    if (this.running.length > 0) this.broken.push('idle during a pass');
    if (this.owed.size > 0) this.broken.push(`idle while ${[...this.owed].join()} is owed a pass`);
  }

  /** Finishes whatever runs until nothing is left to do now. */
  async drain(): Promise<void> {
    const idle = this.queue.idle().then(() => this.#checkIdle());
    for (let round = 0; round < 20; round++) {
      for (const pass of [...this.running]) pass.finish({});
      await this.clock.advance(0);
    }
    await idle;
  }
}

it('keeps its promises under any schedule of news, passes and time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (parallel, heedsSignal, steps) => {
        const schedule = new Schedule(parallel, heedsSignal);
        for (const next of steps) {
          await schedule.take(next);
          expect(schedule.broken).toEqual([]);
        }
        await schedule.drain();
        // Whatever waits for a later time gets its look, too.
        await schedule.clock.advance(60);
        await schedule.drain();
        expect([...schedule.due.keys(), ...schedule.owed]).toEqual([]);
        expect(schedule.broken).toEqual([]);
        expect(schedule.clock.pending).toBeLessThanOrEqual(1);
        await schedule.queue.stop();
        expect([schedule.queue.inFlight, schedule.clock.pending]).toEqual([0, 0]);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
