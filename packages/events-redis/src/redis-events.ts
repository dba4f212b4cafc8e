import {
  type CallOptions,
  type Event,
  type EventBus,
  type EventBusContext,
  type EventHandler,
  type EventSubscription,
  eventTypes,
  mcpError,
  orAborted,
  throwIfAborted,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';
import { isRefusal } from './connection/is-refusal.js';
import { settledWithin } from './connection/settled-within.js';
import { FleetStream } from './fleet-stream.js';
import { type RedisEventsOptions, type ResolvedOptions, resolveOptions } from './redis-events-options.js';

/**
 * Makes a bus that carries events between processes over Redis Streams. Connects when it is opened.
 *
 * @throws `INVALID_OPTIONS`
 */
export function redisEvents(options: RedisEventsOptions): EventBus {
  return new RedisEventBus(resolveOptions(options));
}

class RedisEventBus implements EventBus {
  readonly specificationVersion = 'v1';
  readonly #options: ResolvedOptions;
  #stream: FleetStream | undefined;
  #isClosed = false;
  #draining: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  async open({ fleet, report }: EventBusContext, options?: CallOptions): Promise<void> {
    this.#refuseIfOver(options);
    this.#stream ??= new FleetStream(fleet, this.#options, (...said) => report?.(...said));
    await this.#stream.writer.open(options?.signal);
  }

  async close(options?: CallOptions): Promise<void> {
    this.#isClosed = true;
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#draining ??= stream.drain();
    try {
      await orAborted(settledWithin(this.#draining, this.#options.settings.closeTimeoutMs), options?.signal);
    } finally {
      stream.disconnect();
    }
  }

  async publish(events: readonly Event[], options?: CallOptions): Promise<void> {
    await this.#opened(options).publisher.publish(events, options?.signal);
  }

  async subscribe(
    { group, types }: EventSubscription,
    handler: EventHandler,
    options?: CallOptions,
  ): Promise<Unsubscribe> {
    const stream = this.#opened(options);
    const wanted = new Set<string>(types ?? eventTypes);
    const since = await this.#beginning(stream, group, options);
    this.#refuseIfOver(options);
    return group === undefined
      ? stream.tail.join({ wanted, handler, since })
      : stream.joinGroup(group, { wanted, handler });
  }

  healthy(): boolean {
    return this.#stream?.isReady ?? false;
  }

  /** Fixes where a subscription begins. While Redis is away that is left to whoever reads, once it is back. */
  async #beginning(
    stream: FleetStream,
    group: string | undefined,
    options: CallOptions | undefined,
  ): Promise<string | undefined> {
    try {
      return await stream.beginning(group, options?.signal);
    } catch (error) {
      throwIfAborted(options?.signal);
      if (isRefusal(error)) throw error;
      return undefined;
    }
  }

  #opened(options: CallOptions | undefined): FleetStream {
    this.#refuseIfOver(options);
    if (this.#stream === undefined)
      throw mcpError('NOT_STARTED', 'The event bus is not open: call open() with the fleet first.');
    return this.#stream;
  }

  #refuseIfOver(options: CallOptions | undefined): void {
    throwIfAborted(options?.signal);
    if (this.#isClosed)
      throw mcpError('EVENT_BUS_FAILED', 'The event bus has been closed: it takes no events or subscribers.');
  }
}
