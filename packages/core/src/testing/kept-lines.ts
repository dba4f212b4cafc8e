import type { LogLine, LogQuery } from '../plugin.js';

/** The lines a server wrote, over its restarts. */
export class KeptLines {
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
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
    this.#wake();
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
        await this.#changed(signal);
      }
    } finally {
      this.#readers -= 1;
    }
  }

  /** Ends every reader: no line will follow. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
