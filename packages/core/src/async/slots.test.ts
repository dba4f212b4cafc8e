import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slots } from './slots.js';

function gate() {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('refuse a count that bounds nothing', () => {
    for (const count of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => new Slots(count)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    }
  });

  it('give the result of the work, and are free again after a failure', async () => {
    const slots = new Slots(1);
    expect(await slots.run(async () => 'done')).toBe('done');
    await expect(slots.run(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const thrower = (): Promise<void> => {
      throw new Error('at once');
    };
    await expect(slots.run(thrower)).rejects.toThrow('at once');
    expect(slots.inUse).toBe(0);
  });

  it('let an abort leave the line, and not disturb what runs', async () => {
    const slots = new Slots(1);
    const first = gate();
    const caller = new AbortController();
    const running = slots.run(() => first.promise, caller.signal);
    const ran: string[] = [];
    const waiting = slots.run(async () => ran.push('aborted'), caller.signal);
    const next = slots.run(async () => ran.push('next'));
    expect([slots.inUse, slots.waiting]).toEqual([1, 2]);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect([slots.inUse, slots.waiting]).toEqual([1, 1]);
    first.open();
    await Promise.all([running, next]);
    expect(ran).toEqual(['next']);
    expect([slots.inUse, slots.waiting]).toEqual([0, 0]);
  });

  it('refuse a signal that is aborted already', async () => {
    const slots = new Slots(1);
    await expect(slots.run(async () => 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(slots.inUse).toBe(0);
  });

  it('never run more than their count, and serve the line in order, whatever comes', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ type: fc.constant('run' as const) }) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('finish' as const), pick: fc.nat() }) },
      fc.record({ type: fc.constant('abort' as const), pick: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 40 }),
        async (count, steps) => {
          const slots = new Slots(count);
          // The model: who runs and who stands in line.
          const running: number[] = [];
          let line: number[] = [];
          const started: number[] = [];
          const jobs: { gate: ReturnType<typeof gate>; caller: AbortController; result: Promise<unknown> }[] =
            [];
          const admit = () => {
            while (running.length < count && line.length > 0) running.push(...line.splice(0, 1));
          };
          for (const next of steps) {
            if (next.type === 'run') {
              const id = jobs.length;
              const door = gate();
              const caller = new AbortController();
              const work = async () => {
                started.push(id);
                await door.promise;
              };
              const result = slots.run(work, caller.signal).catch((error: unknown) => error);
              jobs.push({ gate: door, caller, result });
              line.push(id);
              admit();
            } else if (next.type === 'finish' && running.length > 0) {
              const [id] = running.splice(next.pick % running.length, 1);
              jobs[id!]!.gate.open();
              admit();
            } else if (next.type === 'abort' && jobs.length > 0) {
              const id = next.pick % jobs.length;
              jobs[id]!.caller.abort();
              line = line.filter((waiting) => waiting !== id);
            }
            await settled();
            expect(slots.inUse).toBe(running.length);
            expect(slots.waiting).toBe(line.length);
            expect(started).toEqual([...started].sort((a, b) => a - b));
          }
          for (const { gate: door } of jobs) door.open();
          await Promise.all(jobs.map(({ result }) => result));
          expect([slots.inUse, slots.waiting]).toEqual([0, 0]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
