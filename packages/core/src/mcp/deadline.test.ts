import { describe, expect, it, vi } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { manualClock } from '../testing/manual-clock.js';
import { untilAborted, withDeadline } from './deadline.js';

const expired = () => mcpError('REQUEST_TIMEOUT', 'late');
const never = () => new Promise<never>(() => undefined);

describe('withDeadline', () => {
  it('gives the result of the work and leaves no timer', async () => {
    const clock = manualClock();
    await expect(withDeadline({ clock, timeoutMs: 10, expired }, async () => 1)).resolves.toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('ends work that takes longer, by its signal too', async () => {
    const clock = manualClock();
    const aborted = vi.fn();
    const work = withDeadline({ clock, timeoutMs: 10, expired }, (signal) => {
      signal.addEventListener('abort', () => void aborted(signal.reason));
      return never();
    });
    const outcome = expect(work).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await clock.advance(10);
    await outcome;
    expect(aborted).toHaveBeenCalledWith(expect.objectContaining({ code: 'REQUEST_TIMEOUT' }));
  });

  it('ends when any of its signals aborts, with its reason where that is one of ours', async () => {
    const clock = manualClock();
    const [one, other] = [new AbortController(), new AbortController()];
    const signals = [undefined, one.signal, other.signal];
    const work = withDeadline({ clock, timeoutMs: 10, signals, expired }, never);
    other.abort(mcpError('LEASE_LOST', 'gone'));
    await expect(work).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(clock.pending).toBe(0);
  });

  it('does not begin when a signal was aborted before', async () => {
    const work = vi.fn(never);
    const signals = [AbortSignal.abort()];
    const options = { clock: manualClock(), timeoutMs: 10, signals, expired };
    await expect(withDeadline(options, work)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(work).not.toHaveBeenCalled();
  });

  it('passes on the failure of the work', async () => {
    const work = withDeadline({ clock: manualClock(), timeoutMs: 10, expired }, () =>
      Promise.reject(new Error('own')),
    );
    await expect(work).rejects.toThrow('own');
  });
});

describe('untilAborted', () => {
  it('ends the wait only', async () => {
    const abort = new AbortController();
    let finish: (value: number) => void = () => undefined;
    const shared = new Promise<number>((resolve) => (finish = resolve));
    const waits = [untilAborted(shared, abort.signal), untilAborted(shared, undefined)] as const;
    abort.abort();
    await expect(waits[0]).rejects.toMatchObject({ code: 'ABORTED' });
    finish(1);
    await expect(waits[1]).resolves.toBe(1);
  });
});
