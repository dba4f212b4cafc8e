import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf, normaliseError } from '../../domain/errors/normalise-error.js';
import type { Event } from '../../domain/events/event.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { BusCondition } from './bus-condition.js';
import type { FleetCondition } from './fleet-condition.js';
import type { ServiceContext } from '../context/service-context.js';
import { numberedBatches } from './numbered-batches.js';
import { SingleFlight } from '../../async/single-flight.js';

/** Under which the relay keeps the position up to which the bus has accepted events. */
const cursorGroup = '$relay';
const batch = 500;
/** So long the relay has to number what was committed, before whoever knows of it does. */
const relayHasMs = 500;
/** What waits for a bus that is away beyond this many events is read from the log once it is back. */
const mostWaiting = 2_000;

/**
 * Numbers committed events and publishes them: one relay at a time, whoever holds its lease.
 *
 * Woken by commits and swept by a timer, so that an event committed by a process that died is published all the same;
 * one that a relay has numbered and not published before it died, too. A bus that is slow or away delays no numbering:
 * readers of the log go on. So does a relay that is frozen or dead and whose lease has not run out: another process that
 * knows of the commit numbers it then, and workers hear of wishes from the log.
 */
export class EventRelay {
  readonly #context: ServiceContext;
  readonly #bus: EventBus;
  readonly #condition: FleetCondition;
  readonly #busCondition: BusCondition;
  readonly #mayRelay: () => boolean;
  readonly #numbering: SingleFlight;
  readonly #publishing: SingleFlight;
  /** Up to where the bus has accepted events; unknown until this process is the relay. */
  #published: number | undefined;
  #saved = 0;
  /** Whether the log may have events that are neither published nor waiting. */
  #lags = false;
  /** Numbered, not yet accepted by the bus; what comes next after `#published`, without a gap. */
  #waiting: readonly Event[] = [];
  /** Ends the wait for a relay that is another process. */
  #forgetCommit: (() => void) | undefined;
  #stopped = false;

  constructor(
    context: ServiceContext,
    bus: EventBus,
    options: {
      readonly condition: FleetCondition;
      readonly busCondition: BusCondition;
      readonly mayRelay: () => boolean;
    },
  ) {
    this.#context = context;
    this.#bus = bus;
    this.#condition = options.condition;
    this.#busCondition = options.busCondition;
    this.#mayRelay = options.mayRelay;
    this.#numbering = new SingleFlight(
      () => this.#number(),
      (error) => {
        const message = `Subscriptions and other processes hear of events later: ${messageOf(error)}`;
        this.#condition.report('event-numbering', false, message);
      },
    );
    this.#publishing = new SingleFlight(
      async () => {
        await this.#publish();
        this.#condition.report('relay', true);
      },
      (error) => {
        this.#condition.report('relay', false, `Events are published later: ${messageOf(error)}`);
      },
    );
  }

  /** Told that events were committed, here or elsewhere. */
  committed(): void {
    if (this.#mayRelay()) void this.run();
    else if (!this.#stopped)
      this.#forgetCommit ??= this.#context.clock.schedule(relayHasMs, () => {
        this.#forgetCommit = undefined;
        void this.#numbering.run();
      });
  }

  /** Told that events were numbered, here or elsewhere. */
  numbered(): void {
    this.#forgetCommit?.();
    this.#forgetCommit = undefined;
  }

  /** Looks for what nobody told of. */
  async sweep(): Promise<void> {
    await this.run();
    if (!this.#mayRelay()) await this.#numbering.run();
    else if (await this.#isBehind()) {
      this.#lags = true;
      await this.#publishing.run();
    }
  }

  /** Ends what is waited for. */
  stop(): void {
    this.#stopped = true;
    this.numbered();
  }

  /** Publishes what is committed. Resolves when nothing is left, or the bus is away; never rejects. */
  async run(): Promise<void> {
    if (this.#mayRelay()) {
      await this.#numbering.run();
      await this.#publishing.run();
      return;
    }
    // Whoever is the relay now goes on from the cursor; so will this process when it becomes it again.
    this.#published = undefined;
    this.#waiting = [];
    this.#condition.report('relay', true);
    this.#busCondition.left();
  }

  /** Keeps up to where events have been published. Called now and then: without it another relay repeats some. */
  async save(): Promise<void> {
    if (this.#published === undefined || this.#published === this.#saved) return;
    const position = this.#published;
    await this.#context.store.events.saveCursor(cursorGroup, position);
    this.#saved = position;
  }

  async #number(): Promise<void> {
    for await (const numbered of numberedBatches(this.#context.store.events, batch)) {
      if (!this.#mayRelay()) continue;
      const last = this.#waiting.at(-1)?.position ?? this.#published;
      const fits = numbered[0]?.position === (last ?? NaN) + 1 && this.#waiting.length < mostWaiting;
      if (fits) this.#waiting = [...this.#waiting, ...numbered];
      else this.#lags = true;
      void this.#publishing.run();
    }
    this.#condition.report('event-numbering', true);
  }

  async #publish(): Promise<void> {
    if (this.#published === undefined) {
      this.#saved = (await this.#context.store.events.cursor(cursorGroup)) ?? 0;
      this.#published = this.#saved;
      this.#lags = true;
    }
    let after: number = this.#published;
    while (this.#mayRelay()) {
      const next: readonly Event[] =
        this.#waiting.length > 0 ? this.#waiting.slice(0, batch) : await this.#read(after);
      const last = next.at(-1);
      if (last === undefined || !(await this.#accepted(next))) return;
      after = last.position;
      this.#published = after;
      this.#waiting = this.#waiting.filter(({ position }) => position > after);
    }
  }

  /** Whether another process numbered what this one, which is the relay, has not published. */
  async #isBehind(): Promise<boolean> {
    const last = this.#waiting.at(-1)?.position ?? this.#published;
    try {
      return last !== undefined && (await this.#context.store.events.head()) > last;
    } catch {
      return false;
    }
  }

  /** What the log has beyond a position: left by an earlier relay, or more than was kept waiting. */
  async #read(after: number): Promise<readonly Event[]> {
    if (!this.#lags) return [];
    const { events } = this.#context.store;
    try {
      const read = await events.read({ after, limit: batch });
      this.#lags = read.length === batch;
      return read;
    } catch (error) {
      if (!(MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED')) throw error;
      // What the log no longer has cannot be published; the rest is.
      return events.read({ after: Number(error.details['oldest']) - 1, limit: batch });
    }
  }

  async #accepted(events: readonly Event[]): Promise<boolean> {
    try {
      await this.#bus.publish(events);
      this.#busCondition.accepted();
      return true;
    } catch (error) {
      const why = normaliseError(error, 'EVENT_BUS_FAILED', 'Publishing events failed');
      this.#busCondition.refused(why);
      return false;
    }
  }
}
