import { Recurring } from '../../async/recurring.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Event } from '../../domain/events/event.js';
import type { ServiceContext } from '../context/service-context.js';
import type { FleetCondition } from './fleet-condition.js';
import { FleetLog, type TellNews } from './fleet-log.js';
import { TroubleLeases } from './trouble-leases.js';

/** In milliseconds. */
const times = Object.freeze({
  look: 15_000,
  /** After a failure, and while another process is telling. */
  again: 1_000,
  /** What another process has found back has so long to be found back here too, before it is told as away anew. */
  grace: 15_000,
});

/**
 * Tells by events what a {@link FleetCondition} knows of backends, so that in the log `FleetDegraded` and `FleetRecovered`
 * of a part alternate, however many processes see it and whichever of them die.
 *
 * It compares what is with what the log says and writes the difference, instead of writing at each change: what cannot be
 * written now is written later, and an outage during which nothing could be written is told by nothing at all. The end is
 * told by the process that told the beginning; where that is gone, by any that finds the part working.
 */
export class FleetNews {
  readonly #context: ServiceContext;
  readonly #condition: FleetCondition;
  readonly #log: FleetLog;
  readonly #leases: TroubleLeases;
  readonly #telling: Recurring;
  #hasRead = false;
  /** Until when what others found back is not told as away. */
  readonly #quietUntilMs = new Map<string, number>();

  constructor(context: ServiceContext, condition: FleetCondition) {
    this.#context = context;
    this.#condition = condition;
    this.#log = new FleetLog(context);
    this.#leases = new TroubleLeases(context);
    this.#telling = new Recurring({
      clock: context.clock,
      work: () => this.#look(),
      retryMs: times.again,
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
    if (this.#hasRead) void this.#telling.now();
  }

  /** Takes in what any process told. */
  heard(event: Event): void {
    this.#log.heard(event);
    if (event.type !== 'FleetRecovered') return;
    const { part } = event.data;
    this.#quietUntilMs.set(part, this.#context.clock.monotonicMs() + times.grace);
    // Seen from here it may be back as well.
    this.#condition.evidence(part);
  }

  /** Ends the looking, and leaves what has no end yet to other processes. */
  async stop(): Promise<void> {
    await this.#telling.stop();
    try {
      await this.#leases.release();
    } catch (error) {
      this.#context.logger.debug('leases for news run out by themselves', { error: messageOf(error) });
    }
  }

  async #look(): Promise<number> {
    if (!this.#hasRead) await this.#log.read();
    this.#hasRead = true;
    const begun = this.#begun();
    await this.#leases.hold([...this.#told(), ...begun, ...this.#over()]);
    if (begun.length === 0 && !this.#over().some((part) => this.#leases.mine.has(part))) return times.look;
    const wasTurn = await this.#log.write((tell) => this.#tell(tell));
    // What was told as over needs no lease any more.
    return wasTurn && this.#leases.mine.size === 0 ? times.look : times.again;
  }

  async #tell(tell: TellNews): Promise<void> {
    for (const part of this.#begun()) {
      const trouble = this.#condition.troubles.get(part);
      if (trouble) await tell('FleetDegraded', { part, ...trouble });
    }
    for (const part of this.#over()) if (this.#leases.mine.has(part)) await tell('FleetRecovered', { part });
  }

  /** What is away and not told of. */
  #begun(): readonly string[] {
    const now = this.#context.clock.monotonicMs();
    return [...this.#condition.troubles.keys()].filter(
      (part) => !this.#log.away.has(part) && now >= (this.#quietUntilMs.get(part) ?? -Infinity),
    );
  }

  /** What is away and told of. */
  #told(): readonly string[] {
    return [...this.#condition.troubles.keys()].filter((part) => this.#log.away.has(part));
  }

  /** What was told as away and works as seen from here. */
  #over(): readonly string[] {
    return [...this.#log.away].filter((part) => this.#condition.isWorking(part));
  }
}
