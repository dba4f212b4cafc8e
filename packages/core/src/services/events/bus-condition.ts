import { Recurring } from '../../async/recurring.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { EventBus } from '../../ports/event-bus.js';
import type { ServiceContext } from '../context/service-context.js';
import type { FleetCondition } from './fleet-condition.js';

const lookEveryMs = 1_000;
/** A connection that is lost and made again at once is no outage. */
const badLooks = 3;

/** The part of a fleet's surroundings that its event bus is. */
export const busPart = 'event-bus';

/**
 * Says whether the event bus works: by what it says of itself, in every process, and by what becomes of publishing in the
 * one that publishes.
 */
export class BusCondition {
  readonly #bus: EventBus;
  readonly #condition: FleetCondition;
  readonly #looking: Recurring;
  #refused: MCPInfraError | undefined;
  #badLooks = 0;

  constructor(context: ServiceContext, bus: EventBus, condition: FleetCondition) {
    this.#bus = bus;
    this.#condition = condition;
    this.#looking = new Recurring({
      clock: context.clock,
      work: async () => {
        this.#look();
        return lookEveryMs;
      },
      retryMs: lookEveryMs,
      failed: (error) => {
        context.logger.warn('the event bus could not be looked at', { error: messageOf(error) });
      },
    });
  }

  /** Begins once the bus is open. */
  start(): void {
    void this.#looking.now();
  }

  stop(): void {
    void this.#looking.stop();
  }

  /** It has taken what was published. */
  accepted(): void {
    this.#refused = undefined;
    if (this.#bus.healthy?.() !== false) this.#condition.recovered(busPart);
  }

  /** It has not taken what was published. */
  refused(error: MCPInfraError): void {
    this.#refused = error;
    this.#condition.degraded(busPart, error);
  }

  /** This process publishes no more: whether the bus takes anything is for another to say. */
  left(): void {
    if (this.#refused === undefined) return;
    this.#refused = undefined;
    this.#condition.unknown(busPart);
    this.#look();
  }

  #look(): void {
    const healthy = this.#bus.healthy?.();
    this.#badLooks = healthy === false ? this.#badLooks + 1 : 0;
    if (this.#badLooks >= badLooks) {
      const message = 'Its backend does not answer; events reach other processes late.';
      this.#condition.degraded(busPart, mcpError('EVENT_BUS_FAILED', message));
    }
    // One that says nothing of itself is judged by what it takes.
    if (healthy === true && this.#refused === undefined) this.#condition.recovered(busPart);
  }
}
