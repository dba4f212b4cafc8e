import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.js';
import { TimerHeap } from './timer-heap.js';

function heapOfTexts() {
  const clock = manualClock();
  const fired: string[] = [];
  const heap = new TimerHeap<string>(clock, (key) => fired.push(`${key}@${clock.monotonicMs()}`));
  return { clock, fired, heap };
}

describe('a timer heap', () => {
  it('calls back each key at its time, in order of time and then of setting', async () => {
    const { clock, fired, heap } = heapOfTexts();
    heap.set('late', 30);
    heap.set('b', 20);
    heap.set('a', 10);
    heap.set('c', 20);
    expect(heap.nextDueMs).toBe(10);
    await clock.advance(30);
    expect(fired).toEqual(['a@10', 'b@20', 'c@20', 'late@30']);
    expect([heap.size, heap.nextDueMs, clock.pending]).toEqual([0, Infinity, 0]);
  });

  it('moves a key that is set again, forgets one that is deleted and takes the past for now', async () => {
    const { clock, fired, heap } = heapOfTexts();
    heap.set('moved', 10);
    heap.set('moved', 20);
    heap.set('gone', 5);
    expect(heap.delete('gone')).toBe(true);
    expect(heap.delete('gone')).toBe(false);
    heap.set('past', -100);
    expect(heap.dueMs('past')).toBe(0);
    expect(heap.dueMs('gone')).toBeUndefined();
    await clock.advance(20);
    expect(fired).toEqual(['past@0', 'moved@20']);
  });

  it('keeps one timer of the clock for 10,000 keys, and none for nothing', async () => {
    const { clock, fired, heap } = heapOfTexts();
    for (let n = 0; n < 10_000; n++) {
      heap.set(`k${n}`, 10_000 - n);
      expect(clock.pending).toBe(1);
    }
    await clock.advance(100);
    expect(fired).toHaveLength(100);
    heap.clear();
    expect([heap.size, clock.pending]).toEqual([0, 0]);
  });

  it('goes on after a callback that throws', async () => {
    const clock = manualClock();
    const fired: string[] = [];
    const heap = new TimerHeap<string>(clock, (key) => {
      fired.push(key);
      if (key === 'bad') throw new Error('boom');
    });
    heap.set('bad', 1);
    heap.set('good', 1);
    await expect(clock.advance(1)).rejects.toThrow('boom');
    await clock.advance(0);
    expect(fired).toEqual(['bad', 'good']);
  });

  it('lets a key set itself for now without starving the others', async () => {
    const clock = manualClock();
    const fired: string[] = [];
    const heap: TimerHeap<string> = new TimerHeap(clock, (key) => {
      fired.push(key);
      if (key === 'greedy' && fired.length < 6) heap.set('greedy', 0);
    });
    heap.set('greedy', 0);
    heap.set('other', 1);
    await clock.advance(1);
    expect(fired).toEqual(['greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'other']);
    heap.set('greedy', 1);
    heap.set('other', 1);
    fired.length = 0;
    await clock.advance(0);
    expect(fired.slice(0, 3)).toEqual(['greedy', 'other', 'greedy']);
  });

  it('agrees with a sorted list under any sequence of steps', async () => {
    const key = fc.integer({ min: 0, max: 12 });
    const step = fc.oneof(
      fc.record({ type: fc.constant('set' as const), key, inMs: fc.integer({ min: -5, max: 40 }) }),
      fc.record({ type: fc.constant('delete' as const), key }),
      fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 15 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = manualClock();
        const fired: [number, number][] = [];
        const heap = new TimerHeap<number>(clock, (due) => fired.push([due, clock.monotonicMs()]));
        let model: { key: number; dueMs: number }[] = [];
        const expected: [number, number][] = [];
        for (const next of steps) {
          if (next.type === 'advance') {
            await clock.advance(next.ms);
            const now = clock.monotonicMs();
            const due = model.filter(({ dueMs }) => dueMs <= now).sort((a, b) => a.dueMs - b.dueMs);
            expected.push(...due.map((entry): [number, number] => [entry.key, entry.dueMs]));
            model = model.filter(({ dueMs }) => dueMs > now);
          } else {
            model = model.filter((entry) => entry.key !== next.key);
            if (next.type === 'delete') heap.delete(next.key);
            else {
              const dueMs = clock.monotonicMs() + next.inMs;
              heap.set(next.key, dueMs);
              model.push({ key: next.key, dueMs: Math.max(dueMs, clock.monotonicMs()) });
            }
          }
          expect(fired).toEqual(expected);
          expect(heap.size).toBe(model.length);
          expect(heap.nextDueMs).toBe(Math.min(Infinity, ...model.map(({ dueMs }) => dueMs)));
          expect(clock.pending).toBe(model.length === 0 ? 0 : 1);
        }
      }),
      { numRuns: 150 },
    );
  });
});
