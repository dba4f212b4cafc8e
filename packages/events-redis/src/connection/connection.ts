import {
  edge,
  ignoreError,
  mcpError,
  type MCPInfraError,
  messageOf,
  orAborted,
  Recurring,
  systemClock,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { ChainableCommander, Redis } from 'ioredis';
import { settledWithin } from './settled-within.js';

const reconnectMs = { first: 50, last: 2_000 };
const pingEveryMs = 2_000;

/** How one call on a connection is bounded. */
export interface CallBounds {
  readonly signal?: AbortSignal | undefined;
  /** How long Redis itself may block before it answers. @defaultValue 0 */
  readonly blockMs?: number | undefined;
}

/**
 * One connection to Redis, which comes back by itself after restarts and failovers.
 *
 * Nothing waits in it: a command while it is away fails at once, and so do commands in flight when it breaks.
 */
export class Connection {
  readonly #redis: Redis;
  readonly #timeoutMs: number;
  readonly #where: string;
  #reason = 'it has not been connected yet';
  readonly #pinging: Recurring;
  #cancelHandshake: () => void = () => undefined;
  #epoch = 0;
  /** Whether it is being made anew, of which ioredis says nothing until the other end, or its own patience, has ended it. */
  #isGivenUp = false;

  constructor(template: Redis, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#redis = template.duplicate({
      lazyConnect: true,
      enableOfflineQueue: false,
      // With 0 what is in flight is rejected when the connection breaks, instead of never or twice.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: true,
      enableAutoPipelining: false,
      connectTimeout: timeoutMs,
      commandTimeout: undefined,
      socketTimeout: undefined,
      blockingTimeout: undefined,
      stringNumbers: false,
      readOnly: false,
      // The bus puts it before its keys itself: ioredis does not know where they are in every command.
      keyPrefix: '',
      retryStrategy: (times) =>
        Math.min(reconnectMs.last, reconnectMs.first * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
      // A primary that became a replica: the address may lead to the new one by now.
      reconnectOnError: ({ message }) => /^UNBLOCKED\b|\bREADONLY\b/u.test(message),
    });
    this.#where = placeOf(this.#redis);
    const note = (error: unknown): void => void (this.#reason = reasonOf(error));
    const onConnect = (): void => {
      this.#cancelHandshake();
      const recycle = (): void => this.#recycle('it accepted the connection but did not answer');
      this.#cancelHandshake = systemClock.schedule(timeoutMs, edge(note, recycle));
    };
    const onReady = (): void => {
      this.#epoch += 1;
      this.#isGivenUp = false;
    };
    const onSettled = (): void => this.#cancelHandshake();
    this.#redis.on('error', edge(ignoreError, note));
    this.#redis.on('connect', edge(note, onConnect));
    this.#redis.on('ready', edge(note, onReady));
    for (const event of ['ready', 'close'] as const) this.#redis.on(event, edge(note, onSettled));
    this.#pinging = new Recurring({
      clock: systemClock,
      retryMs: pingEveryMs,
      work: async () => {
        if (this.isReady) await this.call('PING', (redis) => redis.ping());
        return pingEveryMs;
      },
      // The call has made the connection anew.
      failed: () => undefined,
    });
  }

  get isReady(): boolean {
    return this.#redis.status === 'ready' && !this.#isGivenUp;
  }

  /** Counts the connections made: another number is another connection. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Asks again and again whether Redis is there, where nothing else would notice that it is gone without a word. */
  keepAsking(): void {
    void this.#pinging.now();
  }

  /** Connects. Resolves when it is ready or the first attempt has failed; it then goes on trying. */
  async open(signal?: AbortSignal): Promise<void> {
    await orAborted(settledWithin(this.#redis.connect(), this.#timeoutMs), signal);
  }

  /** Waits until it is ready; rejects only by the signal. */
  async whenReady(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.isReady) return;
    let stop: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      this.#redis.on('ready', resolve);
      stop = () => this.#redis.off('ready', resolve);
    });
    await orAborted(ready, signal).finally(stop);
  }

  /**
   * Sends commands and waits for the answer.
   *
   * @throws `EVENT_BUS_FAILED` when it is away, breaks, refuses, or does not answer in time; `ABORTED`
   */
  async call<T>(
    what: string,
    send: (redis: Redis) => Promise<T>,
    { signal, blockMs = 0 }: CallBounds = {},
  ): Promise<T> {
    throwIfAborted(signal);
    if (!this.isReady) throw this.#away(this.#reason);
    const answer = send(this.#redis);
    if (!(await orAborted(settledWithin(answer, blockMs + this.#timeoutMs), signal))) {
      const reason = `no answer to ${what} within ${blockMs + this.#timeoutMs} ms`;
      this.#recycle(reason);
      throw this.#away(reason);
    }
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Error && error.name === 'ReplyError') throw this.#refused(what, error);
      // What ioredis says carries the arguments of the command.
      throw this.#away(`the connection was lost during ${what}`);
    }
  }

  /** Sends a pipeline or transaction and waits for all answers. @throws as {@link Connection.call}, if any of them failed */
  async batch(
    what: string,
    make: (redis: Redis) => ChainableCommander,
    bounds?: CallBounds,
  ): Promise<readonly unknown[]> {
    return this.call(
      what,
      async (redis) => {
        const answers = (await make(redis).exec()) ?? [];
        return answers.map(([error, answer]) => {
          if (error) throw error;
          return answer;
        });
      },
      bounds,
    );
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    this.#cancelHandshake();
    void this.#pinging.stop();
    this.#redis.disconnect();
  }

  #recycle(reason: string): void {
    this.#reason = reason;
    this.#isGivenUp = true;
    this.#redis.disconnect(true);
  }

  #refused(what: string, { message }: Error): MCPInfraError {
    return mcpError('EVENT_BUS_FAILED', `Redis at ${this.#where} refused ${what}: ${message}`, {
      details: { reply: message.split(' ', 1)[0] ?? '' },
    });
  }

  #away(reason: string): MCPInfraError {
    return mcpError(
      'EVENT_BUS_FAILED',
      `Redis at ${this.#where} is away: ${reason}. The connection is tried again until it answers.`,
    );
  }
}

function placeOf({ options: { sentinels, name, path, host, port } }: Redis): string {
  if (sentinels) return `the sentinels' ${name ?? 'primary'}`;
  return path ?? `${host ?? 'localhost'}:${port ?? 6379}`;
}

/** An address with several families fails with one error for each and no message of its own. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof AggregateError ? thrown.errors.map(messageOf).join('; ') : messageOf(thrown);
}
