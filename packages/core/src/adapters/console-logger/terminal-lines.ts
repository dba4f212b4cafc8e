/** Where lines go: a stream such as `process.stderr`. */
export interface LineStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  hasColors?(): boolean;
}

const clearLine = '\r\u001b[2K';

/** Prints lines and, on a terminal, keeps what is under way on the last one. */
export class TerminalLines {
  readonly #stream: LineStream;
  readonly #underway = new Map<string, string>();

  constructor(stream: LineStream) {
    this.#stream = stream;
  }

  get canRedraw(): boolean {
    return this.#stream.isTTY === true;
  }

  print(line: string): void {
    const live = this.#live();
    this.#stream.write(live === '' ? `${line}\n` : `${clearLine}${line}\n${live}`);
  }

  /** Shows what is under way of one thing in place of what was shown of it before. */
  show(key: string, text: string): void {
    this.#underway.set(key, text);
    this.#stream.write(`${clearLine}${this.#live()}`);
  }

  /** Shows nothing of it any more. */
  clear(key: string): void {
    if (this.#underway.delete(key)) this.#stream.write(`${clearLine}${this.#live()}`);
  }

  #live(): string {
    // A line that wraps could not be cleared again.
    return [...this.#underway.values()].join('   ').slice(0, Math.max(1, (this.#stream.columns ?? 80) - 1));
  }
}
