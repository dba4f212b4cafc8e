import { Changes, type LogLine, type LogQuery } from '../plugin.js';

/** The lines a server wrote, over its restarts. */
export class KeptLines {
  readonly #lines: LogLine[] = [];
  readonly #changes = new Changes();
  #readers = 0;
  #closed = false;

  /** How many follow the lines. */
  get readers(): number {
    return this.#readers;
  }

  /** The newest lines as text, oldest first. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count).map(({ text }) => text);
  }

  append(line: LogLine): void {
    this.#lines.push(line);
    this.#changes.tell();
  }

  async *read({ tail, follow = false }: LogQuery, signal: AbortSignal | undefined): AsyncGenerator<LogLine> {
    this.#readers += 1;
    try {
      let next = tail === undefined ? 0 : Math.max(0, this.#lines.length - tail);
      while (signal?.aborted !== true) {
        for (; next < this.#lines.length; next++) {
          const line = this.#lines[next];
          if (line) yield line;
        }
        if (!follow || this.#closed) return;
        await this.#changes.next(signal);
      }
    } finally {
      this.#readers -= 1;
    }
  }

  /** Ends every reader: no line will follow. */
  close(): void {
    this.#closed = true;
    this.#changes.tell();
  }
}
