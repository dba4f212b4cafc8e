import { randomUUID } from 'node:crypto';
import type { Event, EventBus, EventSubscription } from '@mcpinfra/core/plugin';
import { redisEvents, type RedisEventsOptions, type RedisEventsSettings } from '@mcpinfra/events-redis';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';

/** A fleet of one test: its buses, and a plain client that looks at its keys. */
export class Fleet {
  readonly name = `test-${randomUUID()}`;
  readonly events = `mcpinfra:{${this.name}}:events`;
  readonly dead = `mcpinfra:{${this.name}}:dead`;
  readonly redis: Redis;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.redis = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
    this.redis.on('error', () => {});
    onTestFinished(() => this.redis.disconnect());
  }

  /** An open bus, as another process would have it. */
  async bus(settings: RedisEventsSettings = {}): Promise<EventBus> {
    return this.open({ url: this.#url, ...settings });
  }

  async open(options: RedisEventsOptions): Promise<EventBus> {
    const bus = redisEvents(options);
    onTestFinished(async () => bus.close());
    await bus.open({ fleet: this.name });
    return bus;
  }

  /** What is pending in a group: the id and consumer of each. */
  async pending(group: string): Promise<readonly { id: string; consumer: string; deliveries: number }[]> {
    const rows = (await this.redis.xpending(this.events, group, '-', '+', 100)) as [
      string,
      string,
      number,
      number,
    ][];
    return rows.map(([id, consumer, , deliveries]) => ({ id, consumer, deliveries }));
  }

  /** The names of the consumers of a group. */
  async consumers(group: string): Promise<readonly string[]> {
    const rows = (await this.redis.xinfo('CONSUMERS', this.events, group)) as string[][];
    return rows.map((row) => String(row[row.indexOf('name') + 1]));
  }

  /** Gives an entry to a consumer that never says a word again, as a process does that was killed. */
  async readAsDead(group: string, consumer = 'dead'): Promise<void> {
    await this.redis.xreadgroup('GROUP', group, consumer, 'COUNT', 1, 'STREAMS', this.events, '>');
  }

  /** The dead letters, each as its fields. */
  async deadLetters(): Promise<readonly Record<string, string>[]> {
    const letters = await this.redis.xrange(this.dead, '-', '+');
    return letters.map(([, fields]) => {
      const letter: Record<string, string> = {};
      for (let at = 0; at < fields.length; at += 2) letter[fields[at] ?? ''] = fields[at + 1] ?? '';
      return letter;
    });
  }
}

/** Subscribes with a handler that keeps what it is handed. */
export async function inboxOf(bus: EventBus, subscription: EventSubscription = {}): Promise<Event[]> {
  const inbox: Event[] = [];
  await bus.subscribe(subscription, (event) => void inbox.push(event));
  return inbox;
}

/** As `expect.poll`, for as long as a busy machine may need. */
export const eventually = <T>(ask: () => T | Promise<T>) =>
  expect.poll(ask, { timeout: 15_000, interval: 20 });
