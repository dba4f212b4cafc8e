import { describe, expect, it } from 'vitest';
import { Committed } from '../memory-store/committed.js';
import { FileCommits } from './file-commits.js';

/** Writings that end when the test says so. */
function made() {
  const committed = new Committed();
  const writings: { counters: object; end: () => void; fail: (cause: Error) => void }[] = [];
  const commits = new FileCommits({
    file: 'store.json',
    committed,
    prepare: () => undefined,
    append: (changes) =>
      new Promise((end, fail) =>
        writings.push({ counters: Object.fromEntries(changes.counters.changes()), end, fail }),
      ),
    tryOut: async () => undefined,
    applied: () => undefined,
    release: async () => undefined,
  });
  const add = (name: string): Promise<void> => {
    const draft = commits.begin();
    draft.layer.counters.set(name, 1);
    return draft.commit();
  };
  return { committed, commits, writings, add };
}

describe('FileCommits', () => {
  it('writes everything that came during a writing at once, and nothing again', async () => {
    const { writings, add, committed } = made();
    const all = ['a', 'b', 'c'].map(add);
    expect(writings).toHaveLength(1);
    expect(committed.layer.counters.get('a')).toBeUndefined();
    writings[0]?.end();
    await all[0];
    expect(committed.layer.counters.get('a')).toBe(1);
    expect(committed.layer.counters.get('b')).toBeUndefined();
    await expect.poll(() => writings.length).toBe(2);
    expect(writings[1]?.counters).toEqual({ b: 1, c: 1 });
    writings[1]?.end();
    await Promise.all(all);
    expect(committed.layer.counters.get('c')).toBe(1);
  });

  it('refuses with a failed writing all that was built upon it', async () => {
    const { writings, add, committed, commits } = made();
    const first = add('a');
    const second = add('b');
    const begun = commits.begin();
    expect(begun.layer.counters.get('b')).toBe(1);
    writings[0]?.fail(new Error('no space left'));
    await expect(first).rejects.toThrow(/no space left/);
    await expect(second).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(() => begun.commit()).toThrow(/based on/);
    expect(committed.layer.counters.get('a')).toBeUndefined();
    const third = add('c');
    expect(writings[1]?.counters).toEqual({ c: 1 });
    writings[1]?.end();
    await third;
  });

  it('lets a reader wait for what was accepted before it, and for nothing else', async () => {
    const { writings, add, commits, committed } = made();
    expect(commits.inFlight()).toBeUndefined();
    const first = add('a');
    const read = commits.inFlight()?.then(() => committed.layer.counters.get('a'));
    const second = add('b');
    writings[0]?.end();
    expect(await read).toBe(1);
    await first;
    await expect.poll(() => writings.length).toBe(2);
    const later = commits.inFlight();
    writings[1]?.fail(new Error('no space left'));
    await expect(later).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await expect(second).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(commits.inFlight()).toBeUndefined();
  });

  it('waits for the last writing before it lets go of the file', async () => {
    const { writings, add, commits } = made();
    const first = add('a');
    let closed = false;
    const closing = commits.close().then(() => (closed = true));
    await Promise.resolve();
    expect(closed).toBe(false);
    writings[0]?.end();
    await Promise.all([first, closing]);
    expect(closed).toBe(true);
  });
});
