import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { StdioChannel } from '../../ports/provider.js';
import { type Message, readMessage } from '../json-rpc.js';
import { LineDecoder } from './line-decoder.js';

/** The largest message taken from a server. */
export const maxMessageBytes = 64 * 1024 * 1024;

/** Answers that are still in the pipe of a server that reads no more are waited for so long. */
const lastWordsMs = 250;

/** What the owner of a pipe is told. */
export interface PipeListener {
  onBytes(): void;
  onMessage(message: Message): void;
  /** Told once, when nothing can be read or written any more. */
  onEnd(reason: MCPInfraError): void;
}

/** How a pipe is made. */
export interface MessagePipeOptions {
  readonly channel: StdioChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
  readonly listener: PipeListener;
}

/** JSON-RPC messages over the streams of a channel, one a line; the only reader and writer of them. */
export class MessagePipe {
  readonly #channel: StdioChannel;
  readonly #clock: Clock;
  readonly #listener: PipeListener;
  readonly #decoder: LineDecoder;
  readonly #maxBytes: number;
  #ended: MCPInfraError | null = null;
  #garbageSeen = false;

  constructor({ channel, clock, logger, maxBytes, listener }: MessagePipeOptions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#listener = listener;
    this.#maxBytes = maxBytes;
    this.#decoder = new LineDecoder({
      maxBytes,
      onGarbage: (bytes) => {
        if (!this.#garbageSeen) logger.debug('skipped output of the server that is no JSON', { bytes });
        this.#garbageSeen = true;
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
    // The last writer may have died within a line; without a line end it would swallow our first message.
    input.write('\n');
  }

  /** Whether nothing can be sent any more; answers to what was sent may still come. */
  get ended(): boolean {
    return this.#ended !== null || !this.#channel.input.writable;
  }

  /**
   * Writes a message; resolves when the stream has taken it.
   *
   * @throws `CONNECTION_CLOSED`, `MESSAGE_TOO_LARGE` for one that the other side would not take either
   */
  async send(message: Message): Promise<void> {
    const { input } = this.#channel;
    const line = `${JSON.stringify(message)}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.#ended !== null) throw unsent(this.#ended);
    if (!input.writable) throw unsent(closed('its input is closed'));
    if (bytes > this.#maxBytes) {
      const limit = `the limit of one message is ${this.#maxBytes}; send less at once`;
      throw mcpError('MESSAGE_TOO_LARGE', `The message has ${bytes} bytes, ${limit}.`, {
        details: { bytes, maxBytes: this.#maxBytes },
      });
    }
    await new Promise<void>((resolve, reject) => {
      input.write(line, (error) => {
        if (error) reject(closed(messageOf(error), error));
        else resolve();
      });
    });
  }

  /** Lets go of the streams. Idempotent. */
  end(reason: MCPInfraError): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    const { input, output } = this.#channel;
    input.off('close', this.#onInputGone);
    output.off('data', this.#onData);
    output.off('end', this.#onOutputGone);
    output.off('close', this.#onOutputGone);
    this.#channel.close();
    this.#listener.onEnd(reason);
  }

  // The error listeners stay: a stream that fails after its end would otherwise take the process down.
  readonly #onInputGone = (error?: unknown): void => {
    this.#clock.schedule(lastWordsMs, () => this.end(closed('it reads no more', error)));
  };

  readonly #onOutputGone = (error?: unknown): void => {
    if (this.#ended !== null) return;
    this.#read(() => this.#decoder.end(this.#onValue));
    this.end(closed('its output ended', error));
  };

  readonly #onData = (chunk: Buffer | string): void => {
    this.#listener.onBytes();
    this.#read(() =>
      this.#decoder.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, this.#onValue),
    );
  };

  #read(decode: () => void): void {
    try {
      decode();
    } catch (error) {
      this.end(
        MCPInfraError.isInstance(error) ? error : mcpError('INTERNAL', messageOf(error), { cause: error }),
      );
    }
  }

  readonly #onValue = (value: unknown): void => {
    // A batch is one line with several messages.
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      const message = readMessage(item);
      if (message !== null && this.#ended === null) this.#listener.onMessage(message);
    }
  };
}

/** Marks an error by which a message surely did not reach the server, so that it may be sent another way. */
function unsent({ code, message }: MCPInfraError): MCPInfraError {
  return mcpError(code, message, { details: { unsent: true } });
}

function closed(what: string, cause?: unknown): MCPInfraError {
  const said = cause instanceof Error ? `${what} (${cause.message})` : what;
  return mcpError('CONNECTION_CLOSED', `The connection to the server ended: ${said}.`, { cause });
}
