import { edge, type Logger, messageOf } from '@mcpinfra/core/plugin';
import type { Redis } from 'ioredis';
import type { Connection } from '../connection/connection.js';
import { retrying } from './retrying.js';

/** What is done with a message; it never rejects. */
export type OnPayload = (payload: Uint8Array, source: string) => Promise<void>;

/** Hears the channels of the platform, also again after Redis was away. What is published meanwhile is lost. */
export class ChannelSource {
  readonly #connection: Connection;
  readonly #channels: readonly string[];
  readonly #logger: Logger;
  #heard: Redis | undefined;
  #isSubscribed = false;

  /** @param connection - its own: one that has subscribed can do nothing else */
  constructor(
    connection: Connection,
    options: { readonly channels: readonly string[]; readonly logger: Logger },
  ) {
    this.#connection = connection;
    this.#channels = options.channels;
    this.#logger = options.logger;
  }

  /** Whether what is published now is heard. */
  get isListening(): boolean {
    return this.#isSubscribed && this.#connection.isReady;
  }

  /** Subscribes. Resolves when it has, or when the first attempt has failed; it then goes on trying. */
  async open(onPayload: OnPayload, signal: AbortSignal): Promise<void> {
    await this.#connection.open(signal);
    // Who only listens never notices that Redis is gone without a word.
    this.#connection.keepAsking();
    const subscribed = this.#subscribe(onPayload, signal).catch(() => undefined);
    if (this.#connection.isReady) await subscribed;
  }

  close(): void {
    this.#connection.close();
  }

  /** Once: the client does it again by itself whenever it has come back. */
  async #subscribe(onPayload: OnPayload, signal: AbortSignal): Promise<void> {
    const work = async (): Promise<void> => {
      // Not before it is ready: a SUBSCRIBE between connect and ready is answered and then forgotten.
      await this.#connection.whenReady(signal);
      await this.#connection.call(
        'SUBSCRIBE',
        (redis) => {
          if (this.#heard === undefined) {
            this.#heard = redis;
            const onMessage = edge(
              (error) => this.#logger.warn('a message of the platform was lost', { error: messageOf(error) }),
              (channel: Buffer, payload: Buffer) => onPayload(payload, channel.toString()),
            );
            redis.on('messageBuffer', onMessage);
          }
          return redis.subscribe(...this.#channels);
        },
        { signal },
      );
      this.#isSubscribed = true;
    };
    await retrying(work, {
      signal,
      logger: this.#logger,
      what: 'the channels of the platform are not heard',
    });
  }
}
