import { Readable, Writable } from 'node:stream';
import { edge, ignoreError, mcpError, normaliseError, type StdioChannel } from '@mcpinfra/core/plugin';

/**
 * Lends the standard streams of a server to one owner at a time.
 *
 * Every owner gets streams of its own, since whoever ends or destroys one must not end the server. What the server
 * writes while nobody owns them is dropped: it would block the server, and reach the next owner without its beginning.
 */
export class StdioPipes {
  readonly #stdin: Writable;
  readonly #stdout: Readable;
  #release: () => void = () => undefined;
  #wasUsed = false;

  constructor(stdin: Writable, stdout: Readable) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    // A server that is gone answers writes with EPIPE; its exit says more, and an unheard error would end the host.
    stdin.on('error', ignoreError);
    stdout.on('error', ignoreError);
  }

  /** Lends the streams; an owner before it has lost them from then on. */
  open(): StdioChannel {
    this.#release();
    const stdout = this.#stdout;
    let isOpen = true;
    const output = new Readable({
      read: () => {
        if (isOpen) stdout.resume();
      },
    });
    const input = new Writable({ write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done) });
    // The owner may have gone away without listening.
    for (const stream of [input, output]) stream.on('error', ignoreError);

    const fail = (error: unknown): void => {
      output.destroy(normaliseError(error, 'PROVIDER_FAILED', 'Handing on what the server wrote failed'));
      close();
    };
    const onData = edge(fail, (chunk: Buffer): void => {
      if (!output.push(chunk)) stdout.pause();
    });
    const close = edge(ignoreError, (): void => {
      if (!isOpen) return;
      isOpen = false;
      stdout.off('data', onData).off('end', close).off('close', close);
      // Without a listener for data a resumed stream drops what it reads.
      stdout.resume();
      input.destroy();
      if (!output.destroyed) output.push(null);
    });
    // The first owner gets what the server wrote before it came: nobody has read the beginning of it.
    stdout.on('data', onData).on('end', close).on('close', close);
    if (stdout.readableEnded || stdout.destroyed) close();
    this.#release = close;
    const wasUsed = this.#wasUsed;
    this.#wasUsed = true;
    return { input, output, wasUsed, close };
  }

  /** Takes the streams back for good and lets go of the pipes. */
  destroy(): void {
    this.#release();
    this.#stdin.destroy();
    this.#stdout.destroy();
  }

  #write(chunk: Buffer, done: (error?: Error) => void): void {
    const stdin = this.#stdin;
    if (!stdin.writable) {
      done(
        mcpError(
          'CONNECTION_CLOSED',
          'The server no longer reads its standard input; it ended or closed it.',
        ),
      );
      return;
    }
    if (stdin.write(chunk)) {
      done();
      return;
    }
    const goOn = edge(done as (error: unknown) => void, (): void => {
      stdin.off('drain', goOn).off('close', goOn);
      done();
    });
    stdin.once('drain', goOn).once('close', goOn);
  }
}
