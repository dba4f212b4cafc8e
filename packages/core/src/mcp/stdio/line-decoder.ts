import { mcpError } from '../../domain/errors/mcpinfra-error.js';

const newline = 0x0a;

/** So many parts of a line are put together, since a server may write it byte by byte. */
const partsAtOnce = 256;

/** Takes the value of a line, and how many bytes that had. */
export type OnValue = (value: unknown, bytes: number) => void;

/**
 * Splits a byte stream into lines and parses each as JSON.
 *
 * Servers write log lines, half lines and broken UTF-8 among their messages: what is no JSON is skipped and reported.
 */
export class LineDecoder {
  readonly #maxBytes: () => number;
  readonly #onGarbage: (bytes: number) => void;
  readonly #parts: Buffer[] = [];
  readonly #recent: Buffer[] = [];
  #size = 0;

  constructor(options: { readonly maxBytes: () => number; readonly onGarbage: (bytes: number) => void }) {
    this.#maxBytes = options.maxBytes;
    this.#onGarbage = options.onGarbage;
  }

  /**
   * Takes a chunk and hands over the values of the lines it completes.
   *
   * @throws `MESSAGE_TOO_LARGE` when a line exceeds the limit
   */
  push(chunk: Buffer, onValue: OnValue): void {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      this.#line(chunk.subarray(from, at), onValue);
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** Hands over the value of a last line that has no line end. */
  end(onValue: OnValue): void {
    this.#line(Buffer.alloc(0), onValue);
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    this.#checkSize(this.#size);
    this.#recent.push(part);
    if (this.#recent.length === partsAtOnce) this.#parts.push(Buffer.concat(this.#recent.splice(0)));
  }

  #checkSize(bytes: number): void {
    const maxBytes = this.#maxBytes();
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  }

  #line(last: Buffer, onValue: OnValue): void {
    this.#checkSize(this.#size + last.length);
    const bytes =
      this.#size === 0 ? last : Buffer.concat([...this.#parts.splice(0), ...this.#recent.splice(0), last]);
    this.#size = 0;
    const text = bytes.toString('utf8').trim();
    if (text === '') return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#onGarbage(bytes.length);
      return;
    }
    onValue(value, bytes.length);
  }
}

function tooLarge(maxBytes: number): Error {
  return mcpError(
    'MESSAGE_TOO_LARGE',
    `The server wrote a line of more than ${maxBytes} bytes, the limit of one message; ask it for less at once.`,
    { details: { maxBytes } },
  );
}
