import { describe, expect, it } from 'vitest';
import { microtasks } from './microtasks.fixture.js';
import { Once } from './once.js';
import { SharedCalls } from './shared-call.js';

describe('what is made once', () => {
  it('is shared by all who ask while it is being made, and kept', async () => {
    let made = 0;
    const once = new Once(async () => {
      await microtasks(3);
      return ++made;
    });
    expect(once.begun).toBe(false);
    expect(await Promise.all([once.get(), once.get()])).toEqual([1, 1]);
    expect(await once.get()).toBe(1);
    expect(once.begun).toBe(true);
  });

  it('is made anew after a failure, in whatever microtask somebody asks', async () => {
    for (let after = 0; after < 12; after++) {
      let tries = 0;
      const once = new Once(async () => {
        if (++tries === 1) throw new Error('first');
        return tries;
      });
      const state = { failed: false };
      const first = once.get().catch(() => (state.failed = true));
      await microtasks(after);
      // Who asks after the failure is known does not get it; who asks before may share it.
      if (state.failed) expect(await once.get()).toBe(2);
      else await once.get().catch(() => undefined);
      await first;
      expect(await once.get()).toBe(2);
    }
  });

  it('is kept also where making it failed at once and somebody forgot it meanwhile', async () => {
    let tries = 0;
    const once = new Once(async () => ++tries);
    const first = once.get();
    once.forget();
    expect(await once.get()).toBe(2);
    expect(await first).toBe(1);
  });
});

describe('calls that are shared', () => {
  it('are made once for all who ask meanwhile, by key, and not kept', async () => {
    const calls = new SharedCalls<string, number>();
    let made = 0;
    const call = async () => {
      await microtasks(3);
      return ++made;
    };
    expect(await Promise.all([calls.get('a', call), calls.get('a', call), calls.get('b', call)])).toEqual([
      1, 1, 2,
    ]);
    expect(calls.size).toBe(0);
    expect(await calls.get('a', call)).toBe(3);
  });

  it('give nobody who asks after the end what was before', async () => {
    for (let after = 0; after < 12; after++) {
      const calls = new SharedCalls<string, number>();
      let made = 0;
      const state = { over: false };
      const first = calls.get('a', async () => ++made).then(() => (state.over = true));
      await microtasks(after);
      const wasOver = state.over;
      const value = await calls.get('a', async () => ++made);
      if (wasOver) expect(value).toBe(2);
      await first;
    }
  });
});
