import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Event } from '../../domain/events/event.js';
import type { FleetCondition } from './fleet-condition.js';
import type { EventHub } from './event-hub.js';
import type { ServiceContext } from '../context/service-context.js';
import { HeardPositions } from './heard-positions.js';
import { SingleFlight } from '../../async/single-flight.js';

const page = 500;

/**
 * Reads on in the event log what the bus did not bring, so that every process hears of everything also where its bus
 * reaches only itself, or loses something.
 */
export class EventTail {
  readonly #context: ServiceContext;
  readonly #hub: EventHub;
  readonly #reading: SingleFlight;
  /** What has been handed to the hub. */
  readonly #heard = new HeardPositions(0);

  constructor(context: ServiceContext, hub: EventHub, condition: FleetCondition) {
    this.#context = context;
    this.#hub = hub;
    this.#reading = new SingleFlight(
      async () => {
        while (await this.#read());
        condition.report('event-log', true);
      },
      (error) => {
        condition.report('event-log', false, `The event log could not be read: ${messageOf(error)}`);
      },
    );
  }

  /** Begins at the end of the log. */
  async start(): Promise<void> {
    this.#heard.pass(await this.#context.store.events.head());
  }

  /** Hands over an event that the bus brought. */
  brought(event: Event): void {
    // One that comes too early is handed over at once, and read once more with those that are missing before it.
    if (this.#heard.hear(event.position)) this.#hub.dispatch(event);
  }

  /** Reads what has been numbered since. Never rejects. */
  look(): Promise<void> {
    return this.#reading.run();
  }

  async #read(): Promise<boolean> {
    const after = this.#heard.floor;
    try {
      const events = await this.#context.store.events.read({ after, limit: page });
      for (const event of events) this.brought(event);
      // Positions may be left out, where the log was put back to what it was earlier.
      this.#heard.pass(events.at(-1)?.position ?? after);
      return events.length === page;
    } catch (error) {
      if (!(MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED')) throw error;
      // It slept longer than events are kept. Rows are compared anew at the next resync in any case.
      this.#heard.pass(Number(error.details['oldest']) - 1);
      return true;
    }
  }
}
