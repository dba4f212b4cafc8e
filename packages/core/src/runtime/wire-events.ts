import { Recurring } from '../async/recurring.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import type { PartReport } from '../ports/common.js';
import type { EventBus } from '../ports/event-bus.js';
import type { StoreNews } from '../ports/store.js';
import type { ServiceContext } from '../services/context/service-context.js';
import { BusCondition } from '../services/events/bus-condition.js';
import { EventHub } from '../services/events/event-hub.js';
import { EventRelay } from '../services/events/event-relay.js';
import type { OpenSubscription } from '../services/events/event-stream.js';
import { EventTail } from '../services/events/event-tail.js';
import { FleetCondition } from '../services/events/fleet-condition.js';
import { FleetNews } from '../services/events/fleet-news.js';

const sweepEveryMs = 5_000;

/** What the events of a fleet ask of its other parts. */
export interface WireEventsOptions {
  readonly bus: EventBus;
  /** Whether this process publishes events now. */
  readonly mayRelay: () => boolean;
  /** Told of every event, whichever process caused it. */
  readonly onEvent: (event: Event) => void;
  /** Told when other processes gave leases back. */
  readonly onLeases: () => void;
  readonly eventRetentionMs: number;
}

/** The events of a fleet, wired: from the committed row to who listens. */
export interface WiredEvents {
  readonly condition: FleetCondition;
  readonly hub: EventHub;
  readonly relay: EventRelay;
  /** The durable subscriptions of this process by group. */
  readonly subscriptions: Map<string, OpenSubscription>;
  /** Connects the bus and begins to hear, once the store is open. */
  open(fleet: string, signal: AbortSignal): Promise<void>;
  /** Begins to publish and to tidy. */
  start(): void;
  /** Undoes `open` but for the bus, which stays connected. */
  unhear(): void;
  /** Ends everything for good; what is under way is not waited for. */
  stop(): void;
}

/** Wires the way of an event from a committed row to whoever listens. */
export function wireEvents(context: ServiceContext, options: WireEventsOptions): WiredEvents {
  const { store, clock } = context;
  const { bus, mayRelay } = options;
  const news: FleetNews[] = [];
  const condition = new FleetCondition(context, () => news.forEach((telling) => telling.look()));
  const telling = new FleetNews(context, condition);
  news.push(telling);
  const hub = new EventHub(context);
  const tail = new EventTail(context, hub, condition);
  const busCondition = new BusCondition(context, bus, condition);
  const relay = new EventRelay(context, bus, { condition, busCondition, mayRelay });
  const subscriptions = new Map<string, OpenSubscription>();
  const off: (() => void)[] = [];

  /** Publishes what a dead process left unpublished, and drops events nobody may need any more. */
  const sweeping = new Recurring({
    clock,
    retryMs: sweepEveryMs,
    work: async () => {
      await Promise.all([relay.sweep(), tail.look()]);
      if (mayRelay()) {
        await relay.save();
        await store.events.trim(new Date(clock.now() - options.eventRetentionMs).toISOString());
      }
      condition.report('event-log-tidying', true);
      return sweepEveryMs;
    },
    failed: (error) => {
      condition.report('event-log-tidying', false, `The event log was not tidied: ${messageOf(error)}`);
    },
  });

  const hear = (told: StoreNews): void => {
    if (told === 'committed') relay.committed();
    if (told === 'leases') options.onLeases();
    if (told === 'numbered') {
      relay.numbered();
      void tail.look();
    }
  };
  const unhear = (): void => {
    for (const end of off.splice(0)) end();
  };
  const stop = (): void => {
    unhear();
    relay.stop();
    void sweeping.stop();
    void telling.stop();
    busCondition.stop();
  };

  return {
    condition,
    hub,
    relay,
    subscriptions,
    open: async (fleet, signal) => {
      const report: PartReport = (part, ok, message) => condition.report(`event-bus/${part}`, ok, message);
      await bus.open({ fleet, report }, { signal });
      off.push(await bus.subscribe({}, (event) => tail.brought(event), { signal }));
      off.push(
        hub.on('*', null, (event) => {
          telling.heard(event);
          options.onEvent(event);
        }),
      );
      await tail.start();
      try {
        const offStore = store.watch?.(hear, (part, ok, message) =>
          condition.report(`store/${part}`, ok, message),
        );
        if (offStore) off.push(offStore);
      } catch (error) {
        // What is new is found by looking, only later.
        condition.report('watch:store', false, messageOf(error));
      }
    },
    start: () => {
      telling.start();
      busCondition.start();
      void sweeping.now();
    },
    unhear,
    stop,
  };
}
