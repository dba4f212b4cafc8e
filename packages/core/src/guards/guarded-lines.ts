import { joinSignals, type JoinedSignal } from '../async/abort.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { Guard } from './guard.js';

/** How lines are read. */
export interface GuardedLinesOptions {
  /** How long the next line may take; `Infinity` where lines are waited for. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether an abort is the ordinary end. */
  readonly follow: boolean;
}

/**
 * Reads lines of a plugin, each within a deadline. An abort, and whoever stops reading, ends it at once, also in the
 * middle of waiting for a line; the plugin's own iterator is then ended in the background.
 */
export function guardedLines<T>(
  guard: Guard,
  options: GuardedLinesOptions,
  read: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<T> {
      const reader = new AbortController();
      const { signal } = options;
      const ends = joinSignals([signal, reader.signal]);
      const lines = readLines(guard, { ...options, ends, left: reader.signal }, read);
      return {
        next: () => lines.next(),
        return: () => {
          // First of all: a generator takes notice of return() only between two lines.
          reader.abort(mcpError('ABORTED', 'Whoever read the lines stopped reading.'));
          return lines.return(undefined);
        },
      };
    },
  };
}

async function* readLines<T>(
  guard: Guard,
  { timeoutMs, ends, follow, left }: GuardedLinesOptions & { ends: JoinedSignal; left: AbortSignal },
  read: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, undefined> {
  const { signal } = ends;
  const inner = new AbortController();
  let iterator: AsyncIterator<T> | undefined;
  try {
    guard.assertOpen('logs');
    for (;;) {
      const step = await guard.bounded('logs', { timeoutMs, signal, endsAtClose: true }, async () => {
        iterator ??= linesOf(guard, read(inner.signal))[Symbol.asyncIterator]();
        return iterator.next();
      });
      if (step.done === true) {
        iterator = undefined;
        return;
      }
      yield step.value;
    }
  } catch (error) {
    if (left.aborted || (follow && signal.aborted)) return;
    throw error;
  } finally {
    ends.release();
    inner.abort(mcpError('ABORTED', 'Nobody reads the lines any more.'));
    const open = iterator;
    if (open?.return !== undefined) {
      void guard.background('logs', guard.deadlines.closeMs, async () => {
        await open.return?.();
      });
    }
  }
}

function linesOf<T>(guard: Guard, lines: AsyncIterable<T>): AsyncIterable<T> {
  return guard.atOnce('logs', lines, {
    expected: 'lines to iterate over',
    fits: (answer: unknown) => isIterable(answer),
  });
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
