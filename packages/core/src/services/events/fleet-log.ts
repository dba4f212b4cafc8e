import { randomUUID } from 'node:crypto';
import { newsLease } from '../../domain/fleet/lease-names.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { Event } from '../../domain/events/event.js';
import { draftEvent } from '../context/event-drafts.js';
import { oldestOf } from './log-look.js';
import { numberedBatches } from './numbered-batches.js';
import type { ServiceContext } from '../context/service-context.js';

type News = 'FleetDegraded' | 'FleetRecovered';

/** Appends one piece of news, unless the log says so already. */
export type TellNews = <T extends News>(type: T, data: EventMap[T]) => Promise<void>;

const page = 500;
/** So far back in the log it is looked what an earlier process told. */
const lookBack = 5_000;
const ttlMs = 15_000;

/**
 * What the event log says is away, and the one way to add to it.
 *
 * Several processes see the same engine; only the one that holds the lease tells, after it has numbered and read
 * everything that was told before, also what this process wrote itself without learning that it had.
 */
export class FleetLog {
  readonly #context: ServiceContext;
  /** As far as it is known, and at which position it was told; it is looked up anew before anything is told. */
  readonly #away = new Map<string, number>();
  /** Everything up to here has been read; unknown before the first time. */
  #after: number | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** What the log says is away, as this process last read or heard. */
  get away(): ReadonlySet<string> {
    return new Set(this.#away.keys());
  }

  /** Takes in what any process told; what comes late, after later news were read, says nothing any more. */
  heard(event: Event): void {
    if (event.position > (this.#after ?? -Infinity)) this.#take(event);
  }

  #take({ type, data, position }: Event): void {
    if (type === 'FleetDegraded') this.#away.set(data.part, position);
    else if (type === 'FleetRecovered') this.#away.delete(data.part);
  }

  /** Takes in what was told before. */
  async read(): Promise<void> {
    const { events } = this.#context.store;
    const head = await events.head();
    this.#takeAll(await this.#toldAfter(Math.max(0, head - lookBack)), head);
  }

  /**
   * Takes in what was told, and nothing of what is no longer in the log, which may have been put back to what it was
   * earlier. Only while nobody else can tell anything.
   */
  async #readAnew(): Promise<void> {
    const head = await this.#context.store.events.head();
    const from = Math.max(0, head - lookBack);
    const told = await this.#toldAfter(from);
    for (const [part, position] of this.#away) if (position > from) this.#away.delete(part);
    this.#takeAll(told, head);
  }

  #takeAll(told: readonly Event[], head: number): void {
    for (const event of told) this.#take(event);
    this.#after = Math.max(told.at(-1)?.position ?? 0, head);
  }

  async #toldAfter(position: number): Promise<readonly Event[]> {
    const told: Event[] = [];
    for (let after = position; ;) {
      try {
        const types = ['FleetDegraded', 'FleetRecovered'] as const;
        const read = await this.#context.store.events.read({ after, types, limit: page });
        told.push(...read);
        if (read.length < page) return told;
        after = read.at(-1)?.position ?? after;
      } catch (error) {
        after = oldestOf(error) - 1;
      }
    }
  }

  /**
   * Has work tell news while no other process can.
   *
   * @returns whether it was this process's turn; if not, another is telling
   */
  async write(work: (tell: TellNews) => Promise<void>): Promise<boolean> {
    const { leases, events } = this.#context.store;
    // Another one each time: what an earlier attempt has under way is then fenced off.
    const id = `news:${randomUUID()}`;
    const [lease] = await leases.acquire([newsLease], { id, ttlMs });
    if (lease === undefined) return false;
    // What is not numbered cannot be read.
    for await (const _ of numberedBatches(events, page));
    await this.#readAnew();
    await work((type, data) => this.#append(type, data, lease.epoch));
    // Only where all went well: what failed may yet be written, and nobody is to tell anything before that.
    await leases.release([newsLease], id).catch((error: unknown) => {
      this.#context.logger.debug('the lease for news runs out by itself', { error: messageOf(error) });
    });
    return true;
  }

  async #append<T extends News>(type: T, data: EventMap[T], fence: number): Promise<void> {
    if (this.#away.has(data.part) === (type === 'FleetDegraded')) return;
    const origin = { subject: 'fleet', tenant: '', actor: 'system', correlationid: randomUUID() };
    const event = draftEvent(this.#context, origin, { type, data });
    await this.#context.store.appendEvents([event], { fence });
    // Its position is not known yet, but that it is the newest.
    if (type === 'FleetDegraded') this.#away.set(data.part, Infinity);
    else this.#away.delete(data.part);
    this.#context.committed();
  }
}
