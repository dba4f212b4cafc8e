import type { PartReport, Unsubscribe } from '@mcpinfra/core/plugin';
import { Connection } from './connection/connection.js';
import { ConsumerGroup } from './group/consumer-group.js';
import { createGroup } from './group/create-group.js';
import type { Member } from './group/members.js';
import type { ResolvedOptions } from './redis-events-options.js';
import { Publisher } from './stream/publisher.js';
import { type StreamKeys, streamKeys } from './stream/stream-keys.js';
import { lastId, Tail } from './stream/tail.js';
import { Trimmer } from './stream/trimmer.js';

/** Everything one bus has of the stream of a fleet, and the connections it has it by. */
export class FleetStream {
  /** Never blocks: for everything but reading. */
  readonly writer: Connection;
  readonly publisher: Publisher;
  readonly tail: Tail;
  readonly #options: ResolvedOptions;
  readonly #keys: StreamKeys;
  readonly #report: PartReport;
  readonly #groups = new Map<string, ConsumerGroup>();
  readonly #ending = new Map<ConsumerGroup, Promise<void>>();

  /** @param report - told of what goes on by itself */
  constructor(fleet: string, options: ResolvedOptions, report: PartReport) {
    const { settings, template } = options;
    this.#options = options;
    this.#report = report;
    this.#keys = streamKeys((template.options.keyPrefix ?? '') + settings.prefix, fleet);
    this.writer = this.#connection();
    this.writer.keepAsking();
    const trimmer = new Trimmer(this.writer, this.#keys.events, { settings, report });
    this.publisher = new Publisher(this.writer, this.#keys.events, trimmer);
    this.tail = new Tail(this.#connection(), {
      key: this.#keys.events,
      concurrency: settings.concurrency,
      report,
    });
  }

  /** Whether Redis answers on every connection that something is to come or to go by. */
  get isReady(): boolean {
    const readers = [this.tail, ...this.#groups.values()];
    return this.writer.isReady && readers.every(({ isReady }) => isReady);
  }

  /** Makes the group if it is new, or tells where the stream ends now. @throws `EVENT_BUS_FAILED`, `ABORTED` */
  async beginning(group: string | undefined, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (group === undefined) return lastId(this.writer, this.#keys.events, signal);
    await createGroup(this.writer, { keys: this.#keys, group }, '$', { signal });
    return undefined;
  }

  joinGroup(name: string, member: Member): Unsubscribe {
    const group = this.#groups.get(name) ?? this.#newGroup(name);
    group.join(member);
    return () => {
      group.leave(member);
      if (group.isEmpty) this.#end(name, group);
    };
  }

  /** Takes nothing new. Resolves when everything has been handled that was taken or published from here. */
  async drain(): Promise<void> {
    await this.publisher.settled();
    for (const [name, group] of this.#groups) this.#end(name, group);
    await Promise.all([...this.#ending.values(), this.tail.drain(this.publisher.lastId)]);
  }

  /** Ends everything at once. Idempotent. */
  disconnect(): void {
    for (const group of [...this.#groups.values(), ...this.#ending.keys()]) group.abandon();
    this.tail.end();
    this.writer.close();
  }

  #newGroup(name: string): ConsumerGroup {
    const { settings } = this.#options;
    const context = {
      keys: this.#keys,
      group: name,
      connection: this.writer,
      settings,
      report: this.#report,
    };
    const group = new ConsumerGroup(context, this.#connection());
    this.#groups.set(name, group);
    return group;
  }

  #end(name: string, group: ConsumerGroup): void {
    if (this.#groups.get(name) !== group) return;
    this.#groups.delete(name);
    this.#ending.set(
      group,
      group.end().finally(() => this.#ending.delete(group)),
    );
  }

  #connection(): Connection {
    return new Connection(this.#options.template, this.#options.settings.commandTimeoutMs);
  }
}
