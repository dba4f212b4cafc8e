import { Secret } from '@mcpinfra/core/plugin';
import { manualClock } from '@mcpinfra/core/testing';
import { describe, expect, it } from 'vitest';
import { FolderReads } from './folder-reads.js';
import type { FolderSecrets } from './read-folder.js';

/** Reads that are answered by hand, in the order they were sent. */
function backend({ ttlMs = 0, maxFolders = 10 } = {}) {
  const clock = manualClock();
  const reads = new FolderReads({ ttlMs, maxFolders, clock });
  const sent: {
    readonly answer: (value: string) => void;
    readonly fail: () => void;
    readonly signal: AbortSignal;
  }[] = [];
  const get = async (key = 'folder', signal = new AbortController().signal): Promise<string | undefined> => {
    const secrets = await reads.get(
      key,
      signal,
      (shared) =>
        new Promise<FolderSecrets>((resolve, reject) => {
          const answer = (value: string): void => resolve(new Map([['KEY', new Secret(value)]]));
          sent.push({ answer, fail: () => reject(new Error('away')), signal: shared });
        }),
    );
    const secret = secrets.get('KEY');
    return secret instanceof Secret ? secret.reveal() : secret;
  };
  const settled = (): Promise<void> => clock.advance(0);
  return { clock, reads, sent, get, settled };
}

describe('reads of one folder', () => {
  it('that begin together are one request', async () => {
    const { get, sent, settled } = backend();
    const all = Promise.all(Array.from({ length: 50 }, () => get()));
    await settled();
    sent[0]?.answer('one');
    expect(new Set(await all)).toEqual(new Set(['one']));
    expect(sent).toHaveLength(1);
  });

  it('that begin while a request is under way share the next, which is sent when that one has ended', async () => {
    const { get, sent, settled } = backend();
    const first = get();
    await settled();
    const later = Promise.all([get(), get(), get()]);
    await settled();
    expect(sent).toHaveLength(1);
    sent[0]?.answer('before the rotation');
    await settled();
    sent[1]?.answer('after');
    expect(await first).toBe('before the rotation');
    expect(await later).toEqual(['after', 'after', 'after']);
    expect(sent).toHaveLength(2);
  });

  it('do not fail because an earlier one did', async () => {
    const { get, sent, settled } = backend();
    const first = get();
    await settled();
    const later = get();
    sent[0]?.fail();
    await expect(first).rejects.toThrow('away');
    await settled();
    sent[1]?.answer('back');
    expect(await later).toBe('back');
  });

  it('end when the last who waits has gone, not before', async () => {
    const { get, sent, settled } = backend();
    const [one, other] = [new AbortController(), new AbortController()];
    const waits = [get('folder', one.signal), get('folder', other.signal)];
    const outcomes = Promise.allSettled(waits);
    await settled();
    one.abort();
    await settled();
    expect(sent[0]?.signal.aborted).toBe(false);
    other.abort();
    await outcomes;
    expect(sent[0]?.signal.aborted).toBe(true);
  });
});

describe('the cache', () => {
  it('gives a folder again for as long as it may', async () => {
    const { get, sent, clock, settled } = backend({ ttlMs: 1_000 });
    const read = async (value: string): Promise<string | undefined> => {
      const reading = get();
      await settled();
      sent.at(-1)?.answer(value);
      return reading;
    };
    expect(await read('one')).toBe('one');
    await clock.advance(999);
    expect(await read('two')).toBe('one');
    await clock.advance(1);
    expect(await read('two')).toBe('two');
    expect(sent).toHaveLength(2);
  });

  it('keeps nothing that was read before a change', async () => {
    const { get, sent, reads, settled } = backend({ ttlMs: 1_000 });
    const before = get();
    await settled();
    reads.forget('folder');
    sent[0]?.answer('old');
    expect(await before).toBe('old');
    const after = get();
    await settled();
    sent[1]?.answer('new');
    expect(await after).toBe('new');
  });

  it('holds so many folders and no more: those used last', async () => {
    const { get, sent, settled } = backend({ ttlMs: 1_000, maxFolders: 2 });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) {
      const reading = get(key);
      await settled();
      sent.at(-1)?.answer(key);
      await reading;
    }
    // a, b and c were read; a stayed, b had to go for c.
    expect(sent).toHaveLength(4);
  });
});
