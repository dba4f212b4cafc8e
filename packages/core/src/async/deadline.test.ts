import { getMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { manualClock } from '../testing/manual-clock.js';
import { onAbort } from './abort.js';
import { type DeadlineOptions, withDeadline } from './deadline.js';

const what = 'observe() of a test';

function bounded<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: Omit<DeadlineOptions<T>, 'expired' | 'what'>,
): Promise<T> {
  const { timeoutMs } = options;
  const expired = () => mcpError('PLUGIN_TIMEOUT', `${what} did not answer within ${timeoutMs} ms`);
  return withDeadline(work, { ...options, what, expired });
}

/** Work whose end the test decides, and which heeds no signal. */
function stubbornWork<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  let given: AbortSignal | undefined;
  return {
    resolve,
    reject,
    signal: () => given!,
    work: (signal: AbortSignal) => {
      given = signal;
      return promise;
    },
  };
}

describe('work with a deadline', () => {
  it('gives its result and leaves no timer behind', async () => {
    const clock = manualClock();
    expect(await bounded(async () => 7, { clock, timeoutMs: 100 })).toBe(7);
    expect(clock.pending).toBe(0);
  });

  it('hands on its own error, also one thrown at once', async () => {
    const clock = manualClock();
    const boom = new Error('boom');
    const thrower = () => {
      throw boom;
    };
    await expect(bounded(thrower, { clock, timeoutMs: 100 })).rejects.toBe(boom);
    expect(clock.pending).toBe(0);
  });

  it('is given up at the deadline though it ignores its signal', async () => {
    const clock = manualClock();
    const stubborn = stubbornWork<number>();
    const result = bounded(stubborn.work, { clock, timeoutMs: 100 });
    const expected = expect(result).rejects.toMatchObject({
      code: 'PLUGIN_TIMEOUT',
      message: expect.stringContaining(`${what} did not answer within 100 ms`) as string,
    });
    await clock.advance(99);
    expect(stubborn.signal().aborted).toBe(false);
    await clock.advance(1);
    await expected;
    expect(stubborn.signal().aborted).toBe(true);
  });

  it('is given up at an abort, with the reason as cause', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const stubborn = stubbornWork<number>();
    const result = bounded(stubborn.work, { clock, timeoutMs: 100, signals: [caller.signal] });
    caller.abort('enough');
    await expect(result).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(stubborn.signal().aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('fails with the reason itself when that is an error of this library', async () => {
    const clock = manualClock();
    const reason = mcpError('LEASE_LOST', 'Another worker has it.');
    const caller = new AbortController();
    const result = bounded(stubbornWork().work, { clock, timeoutMs: 100, signals: [caller.signal] });
    caller.abort(reason);
    await expect(result).rejects.toBe(reason);
  });

  it('is not begun under a signal that is aborted already', async () => {
    let begun = false;
    const work = async () => {
      begun = true;
    };
    const result = bounded(work, {
      clock: manualClock(),
      timeoutMs: 1,
      signals: [AbortSignal.abort()],
    });
    await expect(result).rejects.toMatchObject({ code: 'ABORTED' });
    expect(begun).toBe(false);
  });

  it('hands a late result to whoever undoes it, and a failure of that to whoever listens', async () => {
    const clock = manualClock();
    const stubborn = stubbornWork<string>();
    const undone: string[] = [];
    const failures: unknown[] = [];
    const result = bounded(stubborn.work, {
      clock,
      timeoutMs: 100,
      onLate: async (value) => {
        undone.push(value);
        throw new Error('cannot undo');
      },
      onLateError: (error) => failures.push(error),
    });
    const expected = expect(result).rejects.toMatchObject({ code: 'PLUGIN_TIMEOUT' });
    await clock.advance(100);
    await expected;
    stubborn.resolve('copy');
    await clock.advance(0);
    expect(undone).toEqual(['copy']);
    expect(failures).toMatchObject([{ message: 'cannot undo' }]);
  });

  it('drops a late error', async () => {
    const clock = manualClock();
    const stubborn = stubbornWork();
    const expected = expect(bounded(stubborn.work, { clock, timeoutMs: 1 })).rejects.toThrow();
    await clock.advance(1);
    await expected;
    stubborn.reject(new Error('late'));
    await clock.advance(0);
  });

  it('takes its listener off the signal, and many under one signal raise no warning', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const listening = new Set<unknown>();
    const { signal } = caller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: () => void) => {
      listening.add(listener);
      add(type, listener);
    };
    signal.removeEventListener = (type: string, listener: () => void) => {
      listening.delete(listener);
      remove(type, listener);
    };
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const works = Array.from({ length: 20 }, () => stubbornWork<number>());
    const results = works.map(({ work }) => bounded(work, { clock, timeoutMs: 9, signals: [signal] }));
    expect(listening.size).toBe(20);
    works.forEach(({ resolve }, index) => resolve(index));
    await Promise.all(results);
    await clock.advance(0);
    process.off('warning', onWarning);
    expect(listening.size).toBe(0);
    expect(warnings).toEqual([]);
  });
});

describe('a signal given by a caller', () => {
  it('can still be given to fetch, which asks how many listeners it may have', () => {
    const { signal } = new AbortController();
    onAbort(signal, () => undefined);
    expect(getMaxListeners(signal)).toBeGreaterThan(10);
  });
});
