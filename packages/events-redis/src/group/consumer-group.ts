import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { messageOf, orAborted, sleep, systemClock } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import { isRefusal } from '../connection/is-refusal.js';
import { settledWithin } from '../connection/settled-within.js';
import type { StreamEntry } from '../stream/stream-entry.js';
import { createGroup } from './create-group.js';
import { Deliveries } from './deliveries.js';
import type { GroupContext } from './group-context.js';
import type { Member } from './members.js';
import { Upkeep } from './upkeep.js';

const read = { count: 100, blockMs: 2_000, retryMs: 200 };
const unblockMs = 50;

/** This process as a consumer of a group: reads what the group is owed for as long as it has subscribers here. */
export class ConsumerGroup {
  readonly #context: GroupContext;
  readonly #reader: Connection;
  readonly #deliveries: Deliveries;
  readonly #upkeep: Upkeep;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #clientId: number | undefined;

  /** @param context - with a name for nobody yet: the consumer is named here */
  constructor(context: Omit<GroupContext, 'consumer'>, reader: Connection) {
    this.#context = { ...context, consumer: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}` };
    this.#reader = reader;
    this.#deliveries = new Deliveries(this.#context);
    this.#upkeep = new Upkeep(this.#context, this.#deliveries);
    this.#reading = reader.open().then(() => this.#run());
    this.#upkeep.start();
  }

  /** Whether Redis is there for what it reads. */
  get isReady(): boolean {
    return this.#reader.isReady;
  }

  get isEmpty(): boolean {
    return this.#deliveries.members.isEmpty;
  }

  join(member: Member): void {
    this.#deliveries.members.add(member);
  }

  leave(member: Member): void {
    this.#deliveries.members.remove(member);
  }

  /** Reads no more. Resolves when the handlers have ended; what they have not taken is others' from then on. */
  async end(): Promise<void> {
    this.#stop.abort();
    // Breaking the connection instead could lose sight of entries that are on their way.
    do await this.#unblock();
    while (!(await settledWithin(this.#reading, unblockMs)));
    await this.#handOver(this.#deliveries.stop());
    await this.#deliveries.settled();
    this.#upkeep.end();
    await this.#handOver(this.#deliveries.held);
    await this.#upkeep.removeGone(this.#context.consumer).catch(() => undefined);
    this.#reader.close();
  }

  /** Stops at once: no handler is called any more. */
  abandon(): void {
    this.#stop.abort();
    this.#deliveries.abandon();
    this.#upkeep.end();
    this.#reader.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { group, report } = this.#context;
    let epoch = -1;
    let start: '$' | '0' = '$';
    while (!signal.aborted) {
      try {
        await this.#reader.whenReady(signal);
        if (epoch !== this.#reader.epoch) {
          epoch = this.#reader.epoch;
          this.#clientId = await this.#reader.call('CLIENT ID', (redis) => redis.client('ID'));
          await createGroup(this.#reader, this.#context, start);
          // Where it has been before, all that a new stream holds is owed to it.
          start = '0';
        }
        await this.#readOnce();
        report(`group:${group}`, true);
      } catch (error) {
        const isGone = isRefusal(error, 'NOGROUP');
        if (isRefusal(error) && !isGone)
          report(`group:${group}`, false, `The group is handed no events: ${messageOf(error)}`);
        // Subscribers wait for Redis to come back for as long as it takes.
        await sleep(systemClock, isGone ? 0 : read.retryMs, signal);
        epoch = -1;
      }
    }
  }

  async #readOnce(): Promise<void> {
    const { keys, group, consumer } = this.#context;
    const room = this.#deliveries.room;
    if (room === 0) {
      await orAborted(this.#deliveries.changed(), this.#stop.signal);
      return;
    }
    const streams = (await this.#reader.call(
      'XREADGROUP',
      (redis) =>
        redis.xreadgroup(
          'GROUP',
          group,
          consumer,
          'COUNT',
          Math.min(room, read.count),
          'BLOCK',
          read.blockMs,
          'STREAMS',
          keys.events,
          '>',
        ),
      { blockMs: read.blockMs },
    )) as readonly [string, readonly StreamEntry[]][] | null;
    for (const entry of streams?.[0]?.[1] ?? []) this.#deliveries.take(entry);
  }

  /** Where Redis is away others get them once this consumer has been silent for long enough. */
  async #handOver(ids: readonly string[]): Promise<void> {
    await this.#upkeep.handOver(ids).catch(() => undefined);
  }

  async #unblock(): Promise<void> {
    const id = this.#clientId;
    if (id === undefined) return;
    await this.#context.connection
      .call('CLIENT UNBLOCK', (redis) => redis.client('UNBLOCK', id))
      .catch(() => undefined);
  }
}
