import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { joinSignals, orAborted, underSignals } from './abort.js';

describe('a promise that others wait for too', () => {
  it('is not ended by an abort, which ends the wait only', async () => {
    const abort = new AbortController();
    let finish: (value: number) => void = () => undefined;
    const shared = new Promise<number>((resolve) => (finish = resolve));
    const waits = [orAborted(shared, abort.signal), orAborted(shared, undefined)] as const;
    abort.abort();
    await expect(waits[0]).rejects.toMatchObject({ code: 'ABORTED' });
    finish(1);
    await expect(waits[1]).resolves.toBe(1);
  });

  it('may fail after its wait was ended before it began, unheard', async () => {
    await expect(
      orAborted(Promise.reject(new Error('late')), AbortSignal.abort('enough')),
    ).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
  });

  it('leaves no listener on the signal, however it ends', async () => {
    const { signal } = new AbortController();
    await orAborted(Promise.resolve(1), signal);
    await orAborted(Promise.reject(new Error('no')), signal).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('signals that are joined', () => {
  it('end with the first of them, with its reason, and hold on to none once released', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const reason = mcpError('LEASE_LOST', 'Another worker has it.');
    const { signal, release } = joinSignals([undefined, a.signal, b.signal]);
    b.abort(reason);
    expect(signal.reason).toBe(reason);
    release();
    expect(getEventListeners(a.signal, 'abort')).toHaveLength(0);
  });

  it('are aborted from the start where one of them is', () => {
    expect(joinSignals([new AbortController().signal, AbortSignal.abort('over')]).signal.reason).toBe('over');
  });

  it('leave nothing on a signal that outlives the work', async () => {
    const { signal } = new AbortController();
    await underSignals([signal], async () => 1);
    await underSignals([signal], () => Promise.reject(new Error('no'))).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
