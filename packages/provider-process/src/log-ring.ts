import { Changes, type LogLine } from '@mcpinfra/core/plugin';

const maxLines = 1_000;
const maxCharacters = 1_000_000;

/**
 * Keeps the newest lines of a copy, over its restarts, in bounded memory.
 *
 * Lines are numbered from 0 for good, so that a reader that falls behind loses the oldest and never repeats one.
 */
export class LogRing {
  readonly #lines: LogLine[] = [];
  readonly #changes = new Changes();
  #firstNumber = 0;
  #characters = 0;
  #closed = false;

  /** The number the next line will have. */
  get nextNumber(): number {
    return this.#firstNumber + this.#lines.length;
  }

  /** Whether the copy is gone, so that no line will follow. */
  get closed(): boolean {
    return this.#closed;
  }

  append(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#characters += line.text.length;
    }
    let dropped = 0;
    while (this.#lines.length - dropped > maxLines || this.#characters > maxCharacters) {
      this.#characters -= this.#lines[dropped]?.text.length ?? 0;
      dropped += 1;
    }
    this.#lines.splice(0, dropped);
    this.#firstNumber += dropped;
    this.#changes.tell();
  }

  /** The kept lines from a number on. */
  since(number: number): readonly LogLine[] {
    return this.#lines.slice(Math.max(0, number - this.#firstNumber));
  }

  /** Resolves at the next line, when the ring is closed, or when the signal is aborted. */
  async changed(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#closed) await this.#changes.next(signal);
  }

  /** Ends every reader that follows. */
  close(): void {
    this.#closed = true;
    this.#changes.tell();
  }
}
