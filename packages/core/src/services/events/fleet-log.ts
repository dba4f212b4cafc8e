import { randomUUID } from 'node:crypto';
import { newsLease } from '../../domain/fleet/lease-names.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { Event } from '../../domain/events/event.js';
import { draftEvent } from '../context/event-drafts.js';
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
  /** As far as it is known; it is looked up anew before anything is told. */
  readonly #away = new Set<string>();
  /** Everything up to here has been read; unknown before the first time. */
  #after: number | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** What the log says is away, as this process last read or heard. */
  get away(): ReadonlySet<string> {
    return this.#away;
  }

  /** Takes in what any process told; what comes late, after later news were read, says nothing any more. */
  heard(event: Event): void {
    if (event.position > (this.#after ?? -Infinity)) this.#take(event);
  }

  #take({ type, data }: Event): void {
    if (type === 'FleetDegraded') this.#away.add(data.part);
    else if (type === 'FleetRecovered') this.#away.delete(data.part);
  }

  /** Reads what has been numbered and not been read. */
  async read(): Promise<void> {
    const { events } = this.#context.store;
    const head = await events.head();
    this.#after ??= Math.max(0, head - lookBack);
    for (;;) {
      try {
        const types = ['FleetDegraded', 'FleetRecovered'] as const;
        const read = await events.read({ after: this.#after, types, limit: page });
        for (const event of read) this.#take(event);
        this.#after = read.at(-1)?.position ?? this.#after;
        if (read.length === page) continue;
        this.#after = Math.max(this.#after, head);
        return;
      } catch (error) {
        if (!(MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED')) throw error;
        this.#after = Number(error.details['oldest']) - 1;
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
    await this.read();
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
    if (type === 'FleetDegraded') this.#away.add(data.part);
    else this.#away.delete(data.part);
    this.#context.committed();
  }
}
