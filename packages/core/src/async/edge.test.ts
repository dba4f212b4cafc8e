import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { edge } from './edge.js';

const fault = new Error('thrown in a callback');

describe('edge', () => {
  it.each([
    [
      'at once',
      () => {
        throw fault;
      },
    ],
    ['later', async () => Promise.reject(fault)],
  ])('gives what a callback throws %s to its owner', async (_, callback) => {
    const owner = vi.fn<(error: unknown) => void>();
    const emitter = new EventEmitter();
    emitter.on('data', edge(owner, callback));
    expect(() => emitter.emit('data')).not.toThrow();
    await vi.waitFor(() => expect(owner).toHaveBeenCalledExactlyOnceWith(fault));
  });

  it('drops what the owner throws at being told', () => {
    const guarded = edge(
      () => {
        throw new Error('and again');
      },
      () => {
        throw fault;
      },
    );
    expect(() => guarded()).not.toThrow();
  });

  it('hands its arguments on', () => {
    const callback = vi.fn<(a: number, b: string) => void>();
    edge(() => undefined, callback)(1, 'b');
    expect(callback).toHaveBeenCalledExactlyOnceWith(1, 'b');
  });
});
