import { messageOf, type Logger } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import { isRefusal } from '../connection/is-refusal.js';
import type { OnPayload } from './channel-source.js';
import { retrying } from './retrying.js';

interface Entry {
  readonly id: string;
  readonly payload: Uint8Array;
}

const batch = 64;
/** So many are acted on at once; the rest waits in Redis, where another worker can take it. */
const mostInFlight = 256;
const blockMs = 2_000;

/**
 * Reads a stream with a consumer group, so that a message waits until some worker has acted on it.
 *
 * An entry is acknowledged when its handler has resolved. One whose consumer has been silent for a while is taken over.
 */
export class StreamSource {
  readonly #reader: Connection;
  readonly #commands: Connection;
  readonly #options: {
    readonly key: string;
    readonly group: string;
    readonly consumer: string;
    readonly claimIdleMs: number;
    readonly logger: Logger;
  };
  readonly #inFlight = new Map<string, Promise<void>>();
  #reading: Promise<void> = Promise.resolve();
  #hasGroup = false;
  #nextClaimMs = 0;
  #trouble: string | undefined;

  /** @param connections - `reader` of its own: it blocks */
  constructor(
    connections: { readonly reader: Connection; readonly commands: Connection },
    options: {
      readonly key: string;
      readonly group: string;
      readonly consumer: string;
      readonly claimIdleMs: number;
      readonly logger: Logger;
    },
  ) {
    this.#reader = connections.reader;
    this.#commands = connections.commands;
    this.#options = options;
  }

  get isListening(): boolean {
    return this.#reader.isReady && this.#trouble === undefined;
  }

  /** Why it is not read, though Redis is there. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Begins to read, at the first entry that no worker of the fleet has acted on. */
  async open(onPayload: OnPayload, signal: AbortSignal): Promise<void> {
    await this.#reader.open(signal);
    const { logger, key } = this.#options;
    const options = {
      signal,
      logger,
      what: 'the stream of the platform is not read',
      fields: { stream: key },
      failed: (error: unknown) => {
        this.#trouble = messageOf(error);
        // It may be gone, with the stream.
        this.#hasGroup = false;
      },
    };
    const readOn = async (): Promise<void> => {
      // Each success is the end of a trouble: the next one is tried again as soon as the first.
      for (;;) await retrying(() => this.#read(onPayload, signal), options);
    };
    this.#reading = readOn().catch(() => undefined);
  }

  /** Ends once its signal is aborted and the handlers have; what they have not done stays for another worker. */
  async close(): Promise<void> {
    this.#reader.close();
    await this.#reading;
    await Promise.all(this.#inFlight.values());
    await this.#leave();
  }

  async #read(onPayload: OnPayload, signal: AbortSignal): Promise<void> {
    await this.#reader.whenReady(signal);
    if (!this.#hasGroup) await this.#ensureGroup();
    this.#hasGroup = true;
    if (this.#inFlight.size >= mostInFlight) await Promise.race(this.#inFlight.values());
    signal.throwIfAborted();
    const entries = [...(await this.#claimed(signal)), ...(await this.#fresh(signal))];
    this.#trouble = undefined;
    for (const entry of entries) {
      if (!this.#inFlight.has(entry.id)) this.#begin(entry, onPayload, signal);
    }
  }

  #begin({ id, payload }: Entry, onPayload: OnPayload, signal: AbortSignal): void {
    const { key, group } = this.#options;
    const handled = onPayload(payload, `${key} ${id}`)
      .then(async () => {
        // Given up at the stop: it is not done.
        if (!signal.aborted) await this.#commands.call('XACK', (redis) => redis.xack(key, group, id));
      })
      // It comes again, and what was done is not done twice.
      .catch(() => undefined)
      .finally(() => this.#inFlight.delete(id));
    this.#inFlight.set(id, handled);
  }

  async #ensureGroup(): Promise<void> {
    const { key, group } = this.#options;
    try {
      await this.#reader.call('XGROUP', (redis) => redis.xgroup('CREATE', key, group, '0', 'MKSTREAM'));
    } catch (error) {
      if (!isRefusal(error, 'BUSYGROUP')) throw error;
    }
  }

  async #fresh(signal: AbortSignal): Promise<readonly Entry[]> {
    const { key, group, consumer } = this.#options;
    const args = ['GROUP', group, consumer, 'COUNT', batch, 'BLOCK', blockMs, 'STREAMS', key, '>'];
    const answer = (await this.#reader.call('XREADGROUP', (redis) => redis.callBuffer('XREADGROUP', args), {
      signal,
      blockMs,
    })) as readonly (readonly [Buffer, readonly RawEntry[]])[] | null;
    return (answer ?? []).flatMap(([, entries]) => entries.map(entryOf));
  }

  /** What consumers hold that are gone, or stuck. */
  async #claimed(signal: AbortSignal): Promise<readonly Entry[]> {
    if (performance.now() < this.#nextClaimMs) return [];
    const { key, group, consumer, claimIdleMs } = this.#options;
    const args = [key, group, consumer, claimIdleMs, '0-0', 'COUNT', batch];
    const answer = (await this.#reader.call('XAUTOCLAIM', (redis) => redis.callBuffer('XAUTOCLAIM', args), {
      signal,
    })) as readonly [Buffer, readonly (RawEntry | null)[]];
    const entries = answer[1].filter((entry) => entry !== null);
    // A full page has another behind it.
    if (entries.length < batch) this.#nextClaimMs = performance.now() + claimIdleMs / 2;
    return entries.map(entryOf);
  }

  /** Takes the consumer's name off the group, unless it still holds something, which would be lost with it. */
  async #leave(): Promise<void> {
    const { key, group, consumer } = this.#options;
    try {
      const held = await this.#commands.call('XPENDING', (redis) =>
        redis.xpending(key, group, '-', '+', 1, consumer),
      );
      if (held.length === 0)
        await this.#commands.call('XGROUP', (redis) => redis.xgroup('DELCONSUMER', key, group, consumer));
    } catch {
      // A name that stays behind costs nothing.
    }
  }
}

type RawEntry = readonly [Buffer, readonly Buffer[]];

/** The platform's library puts a message into one field; so does everybody who writes an envelope by hand. */
function entryOf([id, fields]: RawEntry): Entry {
  const isNamed = fields.findIndex((field, index) => index % 2 === 0 && field.toString() === '__data__');
  const payload = isNamed >= 0 ? fields[isNamed + 1] : fields.length === 2 ? fields[1] : undefined;
  return { id: id.toString(), payload: payload ?? Buffer.alloc(0) };
}
