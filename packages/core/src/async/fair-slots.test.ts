import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.js';
import { FairSlots } from './fair-slots.js';

function gate() {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('fair slots', () => {
  it('refuse a count that bounds nothing', () => {
    for (const count of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => new FairSlots(count, manualClock())).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }),
      );
    }
  });

  it('let one who asks for one slot wait for one turn, however many another asks for', async () => {
    const slots = new FairSlots(1, manualClock());
    const order: string[] = [];
    const work = (name: string) => async () => {
      await Promise.resolve();
      order.push(name);
    };
    const greedy = Array.from({ length: 100 }, () =>
      slots.run({ group: 'p', share: 'greedy' }, work('greedy')),
    );
    const modest = slots.run({ group: 'p', share: 'modest' }, work('modest'));
    await Promise.all([...greedy, modest]);
    expect(order.indexOf('modest')).toBeLessThanOrEqual(2);
    expect(slots.groups).toBe(0);
  });

  it('let a group that hangs hold up no other, and say who holds its slots', async () => {
    const clock = manualClock();
    const slots = new FairSlots(1, clock);
    const door = gate();
    const hanging = slots.run({ group: 'hung', share: 'a' }, () => door.promise);
    await clock.advance(60_000);
    expect(await slots.run({ group: 'well', share: 'a' }, async () => 'done')).toBe('done');
    expect(slots.stuck(30_000)).toEqual([{ group: 'hung', share: 'a', sinceMs: 0 }]);
    expect(slots.stuck(60_000)).toEqual([]);
    door.open();
    await hanging;
    expect([slots.groups, slots.inUse()]).toEqual([0, 0]);
  });

  it('are free again after work that failed, at once or later', async () => {
    const slots = new FairSlots(1, manualClock());
    const key = { group: 'p', share: 'a' };
    await expect(slots.run(key, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const thrower = (): Promise<void> => {
      throw new Error('at once');
    };
    await expect(slots.run(key, thrower)).rejects.toThrow('at once');
    await expect(slots.run(key, async () => 1, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect([slots.groups, slots.inUse()]).toEqual([0, 0]);
  });

  it('follow the model, whatever comes: bounded by group, in turn by share, in order within a share', async () => {
    const name = (prefix: string) => fc.integer({ min: 0, max: 2 }).map((n) => `${prefix}${n}`);
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant('run' as const), group: name('g'), share: name('s') }),
      },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('finish' as const), pick: fc.nat() }) },
      fc.record({ type: fc.constant('abort' as const), pick: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 60 }),
        async (count, steps) => {
          const slots = new FairSlots(count, manualClock());
          const jobs: {
            readonly group: string;
            readonly share: string;
            readonly door: ReturnType<typeof gate>;
            readonly caller: AbortController;
            readonly result: Promise<unknown>;
          }[] = [];
          const started: number[] = [];
          const expected: number[] = [];
          // The model: who runs, and for each group the shares in turn, each with its line.
          const running: number[] = [];
          const turns = new Map<string, { share: string; line: number[] }[]>();
          const runningIn = (group: string) => running.filter((id) => jobs[id]!.group === group).length;
          const admit = (group: string) => {
            const queue = turns.get(group) ?? [];
            while (runningIn(group) < count && queue.length > 0) {
              const { share, line } = queue.shift()!;
              const id = line.shift()!;
              running.push(id);
              expected.push(id);
              if (line.length > 0) queue.push({ share, line });
            }
          };
          for (const next of steps) {
            if (next.type === 'run') {
              const id = jobs.length;
              const { group, share } = next;
              const [door, caller] = [gate(), new AbortController()];
              const work = async () => {
                started.push(id);
                await door.promise;
              };
              const result = slots.run({ group, share }, work, caller.signal).catch((e: unknown) => e);
              jobs.push({ group, share, door, caller, result });
              const queue = turns.get(group) ?? [];
              turns.set(group, queue);
              const known = queue.find((turn) => turn.share === share);
              if (known) known.line.push(id);
              else queue.push({ share, line: [id] });
              admit(group);
            } else if (next.type === 'finish' && running.length > 0) {
              const [id] = running.splice(next.pick % running.length, 1);
              jobs[id!]!.door.open();
              admit(jobs[id!]!.group);
            } else if (next.type === 'abort' && jobs.length > 0) {
              const id = next.pick % jobs.length;
              const { group, caller } = jobs[id]!;
              caller.abort();
              const left = (turns.get(group) ?? []).map(({ share, line }) => ({
                share,
                line: line.filter((waiting) => waiting !== id),
              }));
              turns.set(
                group,
                left.filter(({ line }) => line.length > 0),
              );
            }
            await settled();
            expect(started).toEqual(expected);
            let used = 0;
            for (const group of ['g0', 'g1', 'g2']) {
              const waiting = (turns.get(group) ?? []).flatMap(({ line }) => line).length;
              expect([slots.inUse(group), slots.waiting(group)]).toEqual([runningIn(group), waiting]);
              if (runningIn(group) > 0) used++;
            }
            expect(slots.groups).toBe(used);
            expect(
              slots
                .stuck(-1)
                .map(({ share }) => share)
                .sort(),
            ).toEqual(running.map((id) => jobs[id]!.share).sort());
          }
          for (const { door } of jobs) door.open();
          await Promise.all(jobs.map(({ result }) => result));
          expect([slots.groups, slots.inUse()]).toEqual([0, 0]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
