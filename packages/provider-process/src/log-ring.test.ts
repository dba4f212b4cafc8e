import { describe, expect, it } from 'vitest';
import { LogRing } from './log-ring.js';

const line = (text: string) => ({ at: '2026-01-01T00:00:00.000Z', stream: 'stderr', text }) as const;
const texts = (ring: LogRing, from = 0) => ring.since(from).map(({ text }) => text);

describe('LogRing', () => {
  it('keeps the newest thousand lines under their numbers', () => {
    const ring = new LogRing();
    ring.append(Array.from({ length: 1_500 }, (_, n) => line(String(n))));
    expect(ring.nextNumber).toBe(1_500);
    expect(texts(ring)).toHaveLength(1_000);
    expect(texts(ring)[0]).toBe('500');
    expect(texts(ring, 1_498)).toEqual(['1498', '1499']);
    expect(texts(ring, 1_500)).toEqual([]);
  });

  it('keeps no more than a million characters', () => {
    const ring = new LogRing();
    for (let n = 0; n < 500; n += 1) ring.append([line('x'.repeat(16_384))]);
    expect(texts(ring).join('').length).toBeLessThanOrEqual(1_000_000);
    expect(texts(ring).length).toBeGreaterThan(50);
  });

  it('wakes who waits at the next line, at the end, and at an abort', async () => {
    const ring = new LogRing();
    const controller = new AbortController();
    const waits = [ring.changed(undefined), ring.changed(controller.signal)];
    ring.append([line('news')]);
    await Promise.all(waits);
    const aborted = ring.changed(controller.signal);
    controller.abort();
    await aborted;
    const ended = ring.changed(undefined);
    ring.close();
    await ended;
    await ring.changed(undefined);
  });
});
