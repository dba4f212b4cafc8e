import { Changes, type Event, messageOf, systemClock } from '@mcpinfra/core/plugin';
import { readEntry, type StreamEntry } from '../stream/stream-entry.js';
import { Acknowledgements } from './acknowledgements.js';
import { type DeadLetter, putAway } from './dead-letters.js';
import type { GroupContext } from './group-context.js';
import { type Member, Members } from './members.js';

const longestDelayMs = 60_000;
/** Entries that wait to be handed again count too: a group that fails on everything reads no further. */
const mostHeld = 10_000;

/** Hands the entries that this consumer was given to its handlers, and answers for each until Redis knows its end. */
export class Deliveries {
  readonly members = new Members();
  readonly #context: GroupContext;
  readonly #acknowledgements: Acknowledgements;
  /** What this consumer answers for; what waits to be handed again with what ends the wait. */
  readonly #held = new Map<string, (() => void) | undefined>();
  readonly #changes = new Changes();
  /** Handlers that have not ended. */
  #running = 0;
  /** What else is under way. */
  #tasks = 0;
  #isEnding = false;

  constructor(context: GroupContext) {
    this.#context = context;
    this.#acknowledgements = new Acknowledgements(context, (ids) => {
      for (const id of ids) this.#let(id);
    });
  }

  /** The ids of all entries it answers for. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** How many more entries it has room for. */
  get room(): number {
    if (this.#isEnding) return 0;
    const { concurrency } = this.#context.settings;
    return Math.max(0, Math.min(concurrency - this.#running, mostHeld - this.#held.size));
  }

  /** Resolves at the next change of what it holds. */
  async changed(): Promise<void> {
    await this.#changes.next();
  }

  /** Takes an entry over; one it has already is left as it is. */
  take(entry: StreamEntry): void {
    const [id] = entry;
    if (this.#held.has(id)) return;
    this.#held.set(id, undefined);
    this.#hand(entry);
  }

  /** Takes an entry over to make it a dead letter. */
  giveUp(entry: StreamEntry, letter: DeadLetter): void {
    this.#held.set(entry[0], undefined);
    void this.#track(this.#putAway(entry, letter));
  }

  /** Hands out nothing more. Returns what waited to be handed again: it is not its own any longer. */
  stop(): readonly string[] {
    this.#isEnding = true;
    const waiting = [...this.#held].filter(([, cancel]) => cancel !== undefined);
    for (const [id, cancel] of waiting) {
      cancel?.();
      this.#held.delete(id);
    }
    return waiting.map(([id]) => id);
  }

  /** Waits until all handlers have ended and Redis knows of it. */
  async settled(): Promise<void> {
    while (this.#running + this.#tasks > 0) await this.changed();
    await this.#acknowledgements.settled();
  }

  /** Does nothing more at all. */
  abandon(): void {
    this.stop();
    this.members.clear();
    this.#acknowledgements.end();
  }

  #hand(entry: StreamEntry): void {
    const [id, fields] = entry;
    const content = fields === null ? undefined : readEntry(fields);
    if (content?.kind === 'malformed') {
      void this.#track(
        this.#putAway(entry, { reason: `it cannot be read: ${content.reason}`, deliveries: 1 }),
      );
      return;
    }
    // Who comes after them gets it.
    if (this.members.isEmpty) return;
    const event = content?.kind === 'event' ? content.event : undefined;
    const member = event && this.members.next(event);
    if (event === undefined || member === undefined) this.#acknowledgements.add(id);
    else void this.#handle(entry, member, event);
  }

  async #handle(entry: StreamEntry, { handler }: Member, event: Event): Promise<void> {
    this.#running += 1;
    try {
      await handler(event);
      this.#acknowledgements.add(entry[0]);
    } catch (error) {
      await this.#failed(entry, messageOf(error));
    } finally {
      this.#running -= 1;
      this.#changes.tell();
    }
  }

  async #failed(entry: StreamEntry, reason: string): Promise<void> {
    const [id] = entry;
    try {
      const [deliveries = 1] = await deliveriesOf(this.#context, [id]);
      if (deliveries >= this.#context.settings.maxDeliveries)
        await this.#putAway(entry, { reason, deliveries });
      else this.#handLater(id, deliveries);
    } catch {
      this.#handLater(id, 1);
    }
  }

  #handLater(id: string, deliveries: number): void {
    if (this.#isEnding) return;
    const delayMs = Math.min(longestDelayMs, this.#context.settings.retryDelayMs * 2 ** (deliveries - 1));
    this.#held.set(
      id,
      systemClock.schedule(delayMs, () => void this.#track(this.#handAgain(id))),
    );
  }

  /** Claiming what is its own already makes Redis count the delivery. */
  async #handAgain(id: string): Promise<void> {
    const { connection, keys, group, consumer } = this.#context;
    this.#held.set(id, undefined);
    try {
      const [entry] = (await connection.call('XCLAIM', (redis) =>
        redis.xclaim(keys.events, group, consumer, 0, id),
      )) as (StreamEntry | null)[];
      // Trimmed, or acknowledged by who had claimed it meanwhile.
      if (entry === undefined || entry === null) this.#let(id);
      else if (!this.#isEnding) this.#hand(entry);
    } catch {
      this.#handLater(id, 1);
    }
  }

  async #putAway(entry: StreamEntry, letter: DeadLetter): Promise<void> {
    const [id] = entry;
    try {
      await putAway(this.#context, entry, letter);
      this.#let(id);
    } catch {
      // Handed again it ends here again.
      this.#handLater(id, 1);
    }
  }

  async #track(task: Promise<void>): Promise<void> {
    this.#tasks += 1;
    await task;
    this.#tasks -= 1;
    this.#changes.tell();
  }

  #let(id: string): void {
    this.#held.delete(id);
    this.#changes.tell();
  }
}

/** How often each of the entries was delivered; 1 for one that is pending no more. */
export async function deliveriesOf(
  { connection, keys, group }: GroupContext,
  ids: readonly string[],
): Promise<readonly number[]> {
  const answers = await connection.batch('XPENDING', (redis) => {
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.xpending(keys.events, group, id, id, 1);
    return pipeline;
  });
  return (answers as (readonly [string, string, number, number])[][]).map(([pending]) => pending?.[3] ?? 1);
}
