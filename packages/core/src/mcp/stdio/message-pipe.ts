import { edge } from '../../async/edge.js';
import { TokenBucket } from '../../async/token-bucket.js';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { StdioChannel } from '../../ports/provider.js';
import { type Message, readMessage, type Response } from '../json-rpc.js';
import { limits } from '../limits.js';
import { LineDecoder } from './line-decoder.js';

/** Answers that are still in the pipe of a server that reads no more are waited for so long. */
const lastWordsMs = 250;

/** What the owner of a pipe is told. */
export interface PipeListener {
  onBytes(): void;
  /** @returns whether it was waited for; what was not is taken at a limited rate */
  onMessage(message: Message): boolean;
  /** Told once, when nothing can be read or written any more. */
  onEnd(reason: MCPInfraError): void;
}

/** How a pipe is made. */
export interface MessagePipeOptions {
  readonly channel: StdioChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
  /** How much of one message is read at the moment; asked with each part of it. */
  readonly maxBytesRead: () => number;
  readonly listener: PipeListener;
}

/**
 * JSON-RPC messages over the streams of a channel, one a line; the only reader and writer of them.
 *
 * What the server says unasked is read no faster than `limits` allow, so that a flood costs little; what it does not
 * read is kept up to a limit.
 */
export class MessagePipe {
  readonly #channel: StdioChannel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listener: PipeListener;
  readonly #decoder: LineDecoder;
  readonly #maxBytes: number;
  readonly #unasked: TokenBucket;
  /** Why the server is not read at the moment. */
  readonly #holds = new Set<'rate' | 'answers'>();
  #ended: MCPInfraError | null = null;
  #garbage = 0;
  #answerBytes = 0;
  #cancelGivingUp: () => void = () => undefined;

  constructor({ channel, clock, logger, maxBytes, maxBytesRead, listener }: MessagePipeOptions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#logger = logger;
    this.#listener = listener;
    this.#maxBytes = maxBytes;
    this.#unasked = new TokenBucket({
      clock,
      perSecond: limits.unaskedPerSecond,
      burst: 2 * limits.unaskedPerSecond,
    });
    this.#decoder = new LineDecoder({
      maxBytes: maxBytesRead,
      onGarbage: (bytes) => {
        if (this.#garbage === 0) logger.debug('skipped output of the server that is no JSON', { bytes });
        this.#garbage += 1;
        this.#spend(1, bytes);
      },
    });
    const { input, output } = channel;
    input.on('error', this.#onInputGone);
    input.on('close', this.#onInputGone);
    output.on('data', this.#onData);
    output.on('error', this.#onOutputGone);
    output.on('end', this.#onOutputGone);
    output.on('close', this.#onOutputGone);
    if (output.readableEnded || output.destroyed) queueMicrotask(this.#onOutputGone);
  }

  /** Whether nothing can be sent any more; answers to what was sent may still come. */
  get ended(): boolean {
    return this.#ended !== null || !this.#channel.input.writable;
  }

  /**
   * Writes a message; resolves when the stream has taken it.
   *
   * @throws `CONNECTION_CLOSED`, `MESSAGE_TOO_LARGE` for one that the other side would not take either,
   *   `SERVER_NOT_READING` while too much waits
   */
  async send(message: Message): Promise<void> {
    await this.#write(`${JSON.stringify(message)}\n`);
  }

  /** Answers a request of the server. One that does not read its answers is not read, and given up after some time. */
  answer(response: Response): void {
    const line = `${JSON.stringify(response)}\n`;
    const bytes = Buffer.byteLength(line);
    const taken = (): void => {
      this.#answerBytes -= bytes;
      if (this.#answerBytes > limits.outgoingAnswerBytes / 2 || !this.#holds.has('answers')) return;
      this.#cancelGivingUp();
      this.#release('answers');
    };
    this.#answerBytes += bytes;
    if (this.#answerBytes > limits.outgoingAnswerBytes && !this.#holds.has('answers')) {
      this.#hold('answers');
      this.#cancelGivingUp = this.#clock.schedule(limits.notReadingMs, this.#giveUp);
    }
    // One that cannot be written any more is told of by the end of the channel.
    this.#write(line).then(taken, taken);
  }

  /** Lets go of the streams. Idempotent. */
  end(reason: MCPInfraError): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#cancelGivingUp();
    if (this.#garbage > 1) this.#logger.debug('skipped lines of the server', { lines: this.#garbage });
    const { input, output } = this.#channel;
    input.off('close', this.#onInputGone);
    output.off('data', this.#onData);
    output.off('end', this.#onOutputGone);
    output.off('close', this.#onOutputGone);
    this.#channel.close();
    this.#listener.onEnd(reason);
  }

  async #write(line: string): Promise<void> {
    const { input } = this.#channel;
    const bytes = Buffer.byteLength(line);
    if (this.#ended !== null) throw unsent(this.#ended);
    if (!input.writable) throw unsent(closed('its input is closed'));
    if (bytes > this.#maxBytes) {
      const limit = `the limit of one message is ${this.#maxBytes}; send less at once`;
      throw mcpError('MESSAGE_TOO_LARGE', `The message has ${bytes} bytes, ${limit}.`, {
        details: { bytes, maxBytes: this.#maxBytes },
      });
    }
    if (input.writableLength > limits.outgoingBytes) throw notReading(input.writableLength);
    await new Promise<void>((resolve, reject) => {
      input.write(line, (error) => {
        if (error) reject(closed(messageOf(error), error));
        else resolve();
      });
    });
  }

  /** What is thrown where nobody catches ends this connection and nothing else. */
  readonly #fail = (error: unknown): void => {
    this.end(normaliseError(error, 'INTERNAL', 'Reading what the server wrote failed'));
  };

  readonly #giveUp = edge(this.#fail, () => this.end(notReading(this.#answerBytes)));

  // The error listeners stay: a stream that fails after its end would otherwise take the process down.
  readonly #onInputGone = edge(this.#fail, (error?: unknown): void => {
    this.#clock.schedule(
      lastWordsMs,
      edge(this.#fail, () => this.end(closed('it reads no more', error))),
    );
  });

  readonly #onOutputGone = edge(this.#fail, (error?: unknown): void => {
    if (this.#ended !== null) return;
    this.#decoder.end(this.#onValue);
    this.end(closed('its output ended', error));
  });

  readonly #onData = edge(this.#fail, (chunk: Buffer | string): void => {
    this.#listener.onBytes();
    this.#decoder.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, this.#onValue);
  });

  readonly #onValue = (value: unknown, bytes: number): void => {
    // A batch is one line with several messages.
    const items = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    if (items.length > limits.batchMessages) {
      this.#spend(1, bytes);
      return;
    }
    let unasked = 0;
    for (const item of items) {
      if (this.#ended !== null) return;
      const message = readMessage(item);
      if (message === null || !this.#listener.onMessage(message)) unasked += 1;
    }
    if (unasked > 0) this.#spend(unasked, bytes);
  };

  #spend(messages: number, bytes: number): void {
    const waitMs = this.#unasked.spend(messages + bytes / limits.unaskedMessageBytes);
    if (waitMs === 0 || this.#holds.has('rate') || this.#ended !== null) return;
    this.#hold('rate');
    this.#clock.schedule(
      waitMs,
      edge(this.#fail, () => this.#release('rate')),
    );
  }

  #hold(why: 'rate' | 'answers'): void {
    this.#holds.add(why);
    this.#channel.output.pause();
  }

  #release(why: 'rate' | 'answers'): void {
    this.#holds.delete(why);
    if (this.#holds.size === 0 && this.#ended === null) this.#channel.output.resume();
  }
}

function notReading(bytes: number): MCPInfraError {
  return mcpError(
    'SERVER_NOT_READING',
    `The server does not read its standard input: ${bytes} bytes wait for it.`,
    { details: { bytes, unsent: true } },
  );
}

/** Marks an error by which a message surely did not reach the server, so that it may be sent another way. */
function unsent({ code, message }: MCPInfraError): MCPInfraError {
  return mcpError(code, message, { details: { unsent: true } });
}

function closed(what: string, cause?: unknown): MCPInfraError {
  const said = cause instanceof Error ? `${what} (${cause.message})` : what;
  return mcpError('CONNECTION_CLOSED', `The connection to the server ended: ${said}.`, { cause });
}
