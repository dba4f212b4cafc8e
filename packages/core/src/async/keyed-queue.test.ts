import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { ReconcileContext, ReconcileResult } from './keyed-work.js';
import { manualClock } from '../testing/manual-clock.js';
import { orAborted } from './abort.js';
import { KeyedQueue, type KeyedQueueOptions } from './keyed-queue.js';

type Reconcile = (key: string, context: ReconcileContext, pass: number) => Promise<ReconcileResult>;

/** A queue that counts its passes; `settle` lets everything happen that needs no time. */
function setup(reconcile: Reconcile, options: Partial<KeyedQueueOptions> = {}) {
  const clock = manualClock();
  const passes: string[] = [];
  const errors: [key: string, error: unknown, failures: number][] = [];
  const queue = new KeyedQueue({
    clock,
    parallel: 2,
    onError: (...told) => errors.push(told),
    reconcile: (key, context) => {
      passes.push(key);
      return reconcile(key, context, passes.filter((other) => other === key).length);
    },
    ...options,
  });
  return { clock, queue, passes, errors, settle: () => clock.advance(0) };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What heeds a signal as work behind a guard does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return orAborted(new Promise<never>(() => undefined), signal);
}

describe('a keyed queue', () => {
  it('refuses a parallelism that is not a whole number above 0', () => {
    for (const parallel of [0, -1, 1.5, NaN]) {
      expect(() => setup(async () => ({}), { parallel })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }),
      );
    }
  });

  it('makes one pass for many additions before it, in the order the keys came', async () => {
    const { queue, passes } = setup(async () => ({}));
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    expect(passes).toEqual([]);
    await queue.idle();
    expect(passes).toEqual(['b', 'a', 'c']);
  });

  it('runs a key again after the pass during which news came, never beside it', async () => {
    const first = deferred<ReconcileResult>();
    const { queue, passes, settle } = setup(async (_key, _context, pass) =>
      pass === 1 ? first.promise : {},
    );
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(passes).toEqual(['a']);
    first.resolve({});
    await queue.idle();
    expect(passes).toEqual(['a', 'a']);
  });

  it('leaves a pass alone at a hint, and aborts it when what is wanted changed', async () => {
    const signals: AbortSignal[] = [];
    const { queue, passes, errors, settle } = setup(async (_key, { signal }, pass) => {
      signals.push(signal);
      return pass === 1 ? untilAborted(signal) : {};
    });
    queue.add('a');
    await settle();
    queue.add('a', 'hint');
    expect(signals[0]?.aborted).toBe(false);
    queue.add('a', 'wish-changed');
    expect(signals[0]?.reason).toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('wanted') as string,
    });
    await queue.idle();
    expect(passes).toEqual(['a', 'a']);
    expect(errors).toEqual([]);
  });

  it('never has more passes at work than places', async () => {
    let atWork = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const { queue, settle } = setup(async () => {
      most = Math.max(most, ++atWork);
      await new Promise<void>((resolve) => gates.push(resolve));
      atWork--;
      return {};
    });
    for (let n = 0; n < 7; n++) queue.add(`k${n}`);
    for (let n = 0; n < 7; n++) {
      await settle();
      expect(queue.inFlight).toBe(Math.min(2, 7 - n));
      gates.shift()?.();
    }
    await queue.idle();
    expect(most).toBe(2);
  });

  describe('a group that a pass enters', () => {
    const hang = (context: ReconcileContext): Promise<never> => untilAborted(context.signal);

    it('holds up no other group, however many of its passes hang', async () => {
      const done: string[] = [];
      const { queue, settle } = setup(async (key, context) => {
        await context.enter({ group: key.slice(0, 3), share: '' });
        if (key.startsWith('bad')) return hang(context);
        done.push(key);
        return {};
      });
      for (const key of ['bad-1', 'bad-2', 'bad-3', 'bad-4', 'bad-5', 'fit-1', 'fit-2', 'fit-3'])
        queue.add(key);
      await settle();
      expect(done).toEqual(['fit-1', 'fit-2', 'fit-3']);
      await queue.stop();
    });

    it('has its places taken in turns by share, and given back by waits and ends', async () => {
      const entered: string[] = [];
      const ends = new Map<string, () => void>();
      const { queue, settle } = setup(async (key, context) => {
        await context.enter({ group: 'all', share: key.slice(0, 1) });
        entered.push(key);
        await new Promise<void>((resolve) => ends.set(key, resolve));
        return {};
      });
      for (const key of ['a1', 'a2', 'a3', 'a4', 'b1']) queue.add(key);
      await settle();
      expect(entered).toEqual(['a1', 'a2']);
      for (const key of ['a1', 'a2']) ends.get(key)?.();
      await settle();
      expect([...entered].sort()).toEqual(['a1', 'a2', 'a3', 'b1']);
      for (const key of ['a3', 'b1']) ends.get(key)?.();
      await settle();
      ends.get('a4')?.();
      await queue.idle();
    });

    it('loses no place to passes that are ended while they stand in line', async () => {
      const entered: string[] = [];
      const free = deferred<ReconcileResult>();
      const { queue, settle } = setup(
        async (key, context, pass) => {
          await context.enter({ group: 'all', share: '' });
          entered.push(key);
          return key === 'first' && pass === 1 ? free.promise : {};
        },
        { parallel: 1 },
      );
      queue.add('first');
      await settle();
      for (let n = 0; n < 5; n++) {
        queue.add('second', n % 2 === 0 ? 'hint' : 'wish-changed');
        await settle();
      }
      expect(entered).toEqual(['first']);
      free.resolve({});
      await queue.idle();
      queue.add('third');
      await queue.idle();
      expect(entered).toEqual(['first', 'second', 'third']);
    });
  });

  describe('a part of a pass that only waits', () => {
    it('holds no place, so that hanging servers delay nobody', async () => {
      const { queue, passes, settle } = setup(
        async (key, { waiting }) => (key.startsWith('hang') ? waiting(untilAborted) : {}),
        { parallel: 1 },
      );
      for (let n = 0; n < 5; n++) queue.add(`hang${n}`);
      queue.add('quick');
      await settle();
      expect(queue.inFlight).toBe(5);
      expect(passes).toContain('quick');
      await queue.stop();
    });

    it('gives its result to the pass', async () => {
      const seen: number[] = [];
      const { queue } = setup(async (_key, { waiting }) => {
        seen.push(await waiting(async () => 7));
        return {};
      });
      queue.add('a');
      await queue.idle();
      expect(seen).toEqual([7]);
    });

    it('fails with what its work throws, also at once', async () => {
      const { queue, errors } = setup((_key, { waiting }) =>
        waiting(() => {
          throw new Error('boom');
        }),
      );
      queue.add('a');
      await queue.idle();
      expect(errors).toMatchObject([['a', { message: 'boom' }, 1]]);
      await queue.stop();
    });

    it.each(['hint', 'wish-changed'] as const)(
      'ends at once at a %s, though its work heeds no signal',
      async (news) => {
        let signal: AbortSignal | undefined;
        const { queue, passes, errors, settle } = setup(async (_key, { waiting }, pass) =>
          pass > 1
            ? {}
            : waiting((given) => {
                signal = given;
                return new Promise<never>(() => undefined);
              }),
        );
        queue.add('a');
        await settle();
        expect(queue.inFlight).toBe(1);
        queue.add('a', news);
        await queue.idle();
        expect(signal?.aborted).toBe(true);
        expect(passes).toEqual(['a', 'a']);
        expect(errors).toEqual([]);
      },
    );

    it('ends before it begins when news came earlier in the pass', async () => {
      const act = deferred<undefined>();
      let waited = false;
      const { queue, passes, errors, settle } = setup(async (_key, { waiting }, pass) => {
        if (pass > 1) return {};
        await act.promise;
        return waiting(async () => {
          waited = true;
          return {};
        });
      });
      queue.add('a');
      await settle();
      queue.add('a');
      act.resolve(undefined);
      await queue.idle();
      expect(waited).toBe(false);
      expect(passes).toEqual(['a', 'a']);
      expect(errors).toEqual([]);
    });

    it('leaves the rest of the pass undisturbed by a hint', async () => {
      let outer: boolean | undefined;
      const { queue, passes, settle } = setup(async (_key, { signal, waiting }, pass) => {
        if (pass === 1) await waiting(untilAborted).catch(() => undefined);
        outer = signal.aborted;
        return {};
      });
      queue.add('a');
      await settle();
      queue.add('a');
      await queue.idle();
      expect(outer).toBe(false);
      expect(passes).toHaveLength(2);
    });
  });

  describe('later looks', () => {
    it('are made after the time a pass asked for, and then no more', async () => {
      const { clock, queue, passes } = setup(async (_key, _context, pass) =>
        pass === 1 ? { requeueAfterMs: 500 } : {},
      );
      queue.add('a');
      await queue.idle();
      await clock.advance(499);
      expect(passes).toHaveLength(1);
      await clock.advance(1);
      expect(passes).toHaveLength(2);
      expect(clock.pending).toBe(0);
    });

    it('happen at the earliest time asked for', async () => {
      const { clock, queue, passes } = setup(async () => ({}));
      queue.addAfter('a', 300);
      queue.addAfter('a', 100);
      queue.addAfter('a', 200);
      await clock.advance(99);
      expect(passes).toEqual([]);
      await clock.advance(1);
      expect(passes).toEqual(['a']);
      await clock.advance(1000);
      expect(passes).toEqual(['a']);
    });

    it('are needless once the key is looked at anyway', async () => {
      const { clock, queue, passes } = setup(async () => ({}));
      queue.addAfter('a', 100);
      queue.add('a');
      queue.addAfter('a', 50);
      await queue.idle();
      await clock.advance(1000);
      expect(passes).toEqual(['a']);
    });

    it('that are due at once are made at once, without keeping the event loop to themselves', async () => {
      const { queue, passes } = setup(async () => ({ requeueAfterMs: 0 }));
      queue.add('a');
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(passes.length).toBeGreaterThan(3);
      await queue.stop();
    });
  });

  describe('a pass that fails', () => {
    it('is made again after 1 s, doubling up to 60 s, and from 1 s again after a success', async () => {
      let failing = true;
      const { clock, queue, passes, errors } = setup(async () => {
        if (failing) throw new Error('boom');
        return {};
      });
      queue.add('a');
      await queue.idle();
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
        const before = passes.length;
        await clock.advance(seconds * 1000 - 1);
        expect(passes).toHaveLength(before);
        await clock.advance(1);
        expect(passes).toHaveLength(before + 1);
      }
      expect(errors.map(([, , failures]) => failures)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      failing = false;
      queue.add('a');
      await queue.idle();
      expect(clock.pending).toBe(0);
      failing = true;
      queue.add('a');
      await queue.idle();
      expect(errors.at(-1)).toMatchObject(['a', { message: 'boom' }, 1]);
    });

    it('is told of with its error, and the queue survives a listener that throws', async () => {
      const { clock, queue, passes } = setup(() => Promise.reject(new Error('boom')), {
        onError: () => {
          throw new Error('listener');
        },
        retryMs: () => 10,
      });
      queue.add('a');
      await queue.idle();
      await clock.advance(10);
      expect(passes).toHaveLength(2);
    });

    it('is an error when it was aborted by somebody else', async () => {
      const { queue, errors } = setup(() => Promise.reject(mcpError('ABORTED', 'Ended elsewhere.')));
      queue.add('a');
      await queue.idle();
      expect(errors).toMatchObject([['a', { code: 'ABORTED' }, 1]]);
    });

    it('is an error also when news came during it, but the next one is made at once', async () => {
      const act = deferred<ReconcileResult>();
      const { queue, passes, errors, settle } = setup(async (_key, _context, pass) =>
        pass === 1 ? act.promise : {},
      );
      queue.add('a');
      await settle();
      queue.add('a');
      act.reject(new Error('boom'));
      await queue.idle();
      expect(passes).toHaveLength(2);
      expect(errors).toHaveLength(1);
    });
  });

  describe('a key that is forgotten', () => {
    it('is not looked at any more', async () => {
      const { clock, queue, passes } = setup(async () => ({}));
      queue.add('ready');
      queue.addAfter('later', 10);
      queue.forget('ready');
      queue.forget('later');
      await clock.advance(100);
      expect(passes).toEqual([]);
      expect(clock.pending).toBe(0);
    });

    it('has its pass aborted with LEASE_LOST, which is neither an error nor repeated', async () => {
      const reasons: unknown[] = [];
      const { clock, queue, passes, errors, settle } = setup(async (_key, { signal }) =>
        untilAborted(signal).catch((error: unknown) => {
          reasons.push(error);
          throw error;
        }),
      );
      queue.add('a');
      await settle();
      queue.add('a');
      queue.forget('a');
      await queue.idle();
      await clock.advance(100_000);
      expect(reasons).toMatchObject([{ code: 'LEASE_LOST' }]);
      expect(passes).toHaveLength(1);
      expect(errors).toEqual([]);
    });

    it('is looked at again when it is added again during that pass', async () => {
      const act = deferred<ReconcileResult>();
      const { queue, passes, settle } = setup(async (_key, _context, pass) =>
        pass === 1 ? act.promise : {},
      );
      queue.add('a');
      await settle();
      queue.forget('a');
      queue.add('a');
      act.resolve({ requeueAfterMs: 5 });
      await queue.idle();
      expect(passes).toHaveLength(2);
    });
  });

  describe('idle', () => {
    it('does not count keys that wait for a later time', async () => {
      const { queue, passes } = setup(async () => ({}));
      queue.addAfter('later', 1000);
      await queue.idle();
      expect(passes).toEqual([]);
    });

    it('waits for passes and for what they leave to do', async () => {
      const act = deferred<ReconcileResult>();
      const { queue, settle } = setup(async (_key, _context, pass) => (pass === 1 ? act.promise : {}));
      let idle = false;
      queue.add('a');
      void queue.idle().then(() => (idle = true));
      await settle();
      expect(idle).toBe(false);
      queue.add('a');
      act.resolve({});
      await settle();
      expect(idle).toBe(true);
    });
  });

  it('on stop aborts what runs, waits for it and leaves nothing', async () => {
    const cleanUp = deferred<undefined>();
    const { clock, queue, passes, errors, settle } = setup(
      async (_key, { signal }) => {
        try {
          return await untilAborted(signal);
        } finally {
          await cleanUp.promise;
        }
      },
      { parallel: 1 },
    );
    queue.add('running');
    await settle();
    queue.add('ready');
    queue.addAfter('later', 10);
    let stopped = false;
    const stop = queue.stop().then(() => (stopped = true));
    queue.add('after the stop');
    queue.addAfter('after the stop', 5);
    await settle();
    expect(stopped).toBe(false);
    cleanUp.resolve(undefined);
    await stop;
    await queue.stop();
    await clock.advance(1000);
    expect(passes).toEqual(['running']);
    expect(errors).toEqual([]);
    expect([queue.inFlight, clock.pending]).toEqual([0, 0]);
  });
});
