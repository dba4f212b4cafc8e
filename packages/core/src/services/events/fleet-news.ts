import { randomUUID } from 'node:crypto';
import { Recurring } from '../../async/recurring.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { Event } from '../../domain/events/event.js';
import { draftEvent } from '../context/event-drafts.js';
import type { ServiceContext } from '../context/service-context.js';
import type { FleetCondition } from './fleet-condition.js';

const lookEveryMs = 15_000;
const retryMs = 5_000;
const page = 500;
/** So far back in the log it is looked what an earlier process told. */
const lookBack = 5_000;

/**
 * Tells by events what a {@link FleetCondition} knows of backends, so that in the log `FleetDegraded` and `FleetRecovered`
 * of a part alternate, whichever process told the last one and whether or not it still lives.
 *
 * It compares what is with what the log says and writes the difference, instead of writing at each change: what cannot be
 * written now is written later, and an outage during which nothing could be written is told by nothing at all.
 */
export class FleetNews {
  readonly #context: ServiceContext;
  readonly #condition: FleetCondition;
  readonly #telling: Recurring;
  /** What the log says is away; unknown until it was read. */
  #told: Set<string> | undefined;
  /** What this process has to tell the end of. */
  readonly #toClose = new Set<string>();
  /** Events of our own that have not come back yet. */
  readonly #own = new Set<string>();

  constructor(context: ServiceContext, condition: FleetCondition) {
    this.#context = context;
    this.#condition = condition;
    this.#telling = new Recurring({
      clock: context.clock,
      work: () => this.#tell(),
      retryMs,
      failed: (error) => {
        context.logger.debug('a change of the fleet is recorded later', { error: messageOf(error) });
      },
    });
  }

  /** Begins once the store is open. */
  start(): void {
    void this.#telling.now();
  }

  /** Looks whether there is something to tell. */
  look(): void {
    if (this.#told) void this.#telling.now();
  }

  /** Takes in what any process told. */
  heard({ id, type, data }: Event): void {
    if ((type !== 'FleetDegraded' && type !== 'FleetRecovered') || this.#own.delete(id)) return;
    const { part } = data;
    if (type === 'FleetDegraded') this.#told?.add(part);
    // Where it is still away as seen from here, that is told at the next look.
    else this.#told?.delete(part);
  }

  async stop(): Promise<void> {
    await this.#telling.stop();
  }

  async #tell(): Promise<number> {
    this.#told ??= await this.#read();
    const told = this.#told;
    for (const [part, trouble] of this.#condition.troubles) {
      if (!told.has(part)) await this.#append('FleetDegraded', { part, ...trouble });
      told.add(part);
      this.#toClose.add(part);
    }
    for (const part of this.#toClose) {
      if (!this.#condition.isWorking(part)) continue;
      if (told.has(part)) await this.#append('FleetRecovered', { part });
      told.delete(part);
      this.#toClose.delete(part);
    }
    return lookEveryMs;
  }

  async #append<T extends 'FleetDegraded' | 'FleetRecovered'>(type: T, data: EventMap[T]): Promise<void> {
    const origin = { subject: 'fleet', tenant: '', actor: 'system', correlationid: randomUUID() };
    const event = draftEvent(this.#context, origin, { type, data });
    this.#own.add(event.id);
    try {
      await this.#context.store.appendEvents([event]);
    } catch (error) {
      this.#own.delete(event.id);
      // It may have been written all the same: read again before it is written again.
      this.#told = undefined;
      throw error;
    }
    this.#context.committed();
  }

  /** What the log says is away; its end is to be told by whoever finds it working, since who told it may be dead. */
  async #read(): Promise<Set<string>> {
    const { events } = this.#context.store;
    const away = new Set<string>();
    let after = Math.max(0, (await events.head()) - lookBack);
    for (;;) {
      try {
        const read = await events.read({ after, types: ['FleetDegraded', 'FleetRecovered'], limit: page });
        for (const { type, data } of read) {
          const { part } = data as EventMap['FleetDegraded' | 'FleetRecovered'];
          if (type === 'FleetDegraded') away.add(part);
          else away.delete(part);
        }
        after = read.at(-1)?.position ?? after;
        if (read.length === page) continue;
      } catch (error) {
        if (!(MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED')) throw error;
        after = Number(error.details['oldest']) - 1;
        continue;
      }
      for (const part of away) this.#toClose.add(part);
      return away;
    }
  }
}
