import { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { ignoreError, mcpError, type StdioChannel } from '../plugin.js';

/** The standard streams of a server in this process, as one owner holds them. */
export class MemoryChannel implements StdioChannel {
  readonly input: Writable;
  readonly output: Readable;
  readonly wasUsed: boolean;
  readonly #onClosed: () => void;
  #isOpen = true;
  #serverEnded = false;

  constructor(options: {
    readonly wasUsed: boolean;
    readonly onLine: (line: string) => void;
    readonly onClosed: () => void;
  }) {
    this.wasUsed = options.wasUsed;
    this.#onClosed = options.onClosed;
    const decoder = new StringDecoder('utf8');
    let rest = '';
    this.output = new Readable({ read: () => undefined });
    this.input = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#serverEnded) {
          done(
            mcpError(
              'CONNECTION_CLOSED',
              'The server has ended and reads no more; dial it again once it runs.',
            ),
          );
          return;
        }
        const lines = (rest + decoder.write(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) options.onLine(line);
        done();
      },
    });
    // The owner may have gone away without listening.
    for (const stream of [this.input, this.output]) stream.on('error', ignoreError);
  }

  /** Hands a line of the server to the owner. */
  write(line: string): void {
    if (this.#isOpen && !this.#serverEnded) this.output.push(`${line}\n`);
  }

  /** Tells the owner that the server has ended. */
  endOutput(): void {
    if (this.#serverEnded) return;
    this.#serverEnded = true;
    if (this.#isOpen) this.output.push(null);
  }

  close(): void {
    if (!this.#isOpen) return;
    if (!this.#serverEnded) this.output.push(null);
    this.#isOpen = false;
    this.input.destroy();
    this.#onClosed();
  }
}
