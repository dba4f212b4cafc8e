import type { LogLine } from '@mcpinfra/core/plugin';
import { FrameDemultiplexer, type StreamName } from './frame-demultiplexer.js';

const maxLineCharacters = 16_384;
// Beyond what is shown, so that a secret value the cut goes through is still known whole.
const maxKeptCharacters = 416_384;

interface Begun {
  readonly at: string;
  readonly text: string;
}

/**
 * Makes lines of what an engine keeps of a container: frames that each begin with a time.
 *
 * Engines cut long lines into several frames of which only the last ends in a line end; they are put together again,
 * and what a line has beyond 16 K characters is dropped.
 */
export class LogReader {
  readonly #demultiplexer: FrameDemultiplexer;
  readonly #scrub: (text: string) => string;
  readonly #pieces: Record<StreamName, Buffer[]> = { stdout: [], stderr: [] };
  readonly #begun: Record<StreamName, Begun | undefined> = { stdout: undefined, stderr: undefined };
  #lines: LogLine[] = [];

  /** @param scrub - replaces the known secret values of a text */
  constructor(scrub: (text: string) => string) {
    this.#scrub = scrub;
    this.#demultiplexer = new FrameDemultiplexer((stream, bytes, isEnd) => {
      this.#pieces[stream].push(Buffer.from(bytes));
      if (!isEnd) return;
      this.#frame(stream, Buffer.concat(this.#pieces[stream]).toString('utf8'));
      this.#pieces[stream] = [];
    });
  }

  /** Takes bytes and gives the lines they complete. */
  push(chunk: Buffer): readonly LogLine[] {
    this.#demultiplexer.push(chunk);
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Gives the lines that were left without an end. */
  end(): readonly LogLine[] {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#begun[stream]) this.#complete(stream);
    }
    return this.push(Buffer.alloc(0));
  }

  #frame(stream: StreamName, frame: string): void {
    const space = frame.indexOf(' ');
    const text = frame.slice(space + 1);
    const begun = this.#begun[stream];
    const joined = (begun?.text ?? '') + text;
    this.#begun[stream] = {
      at: begun?.at ?? frame.slice(0, space),
      text: joined.slice(0, maxKeptCharacters),
    };
    if (text.endsWith('\n')) this.#complete(stream);
  }

  #complete(stream: StreamName): void {
    const begun = this.#begun[stream];
    this.#begun[stream] = undefined;
    if (!begun) return;
    const text = this.#scrub(begun.text.replace(/\r?\n$/u, ''));
    const shown = text.length > maxLineCharacters ? `${text.slice(0, maxLineCharacters)} [cut]` : text;
    this.#lines.push({ at: begun.at, stream, text: shown });
  }
}
