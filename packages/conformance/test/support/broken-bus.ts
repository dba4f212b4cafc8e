import type { EventBus } from '@mcpinfra/core/plugin';

/** What is wrong with a bus that is right otherwise. */
export type Fault = (bus: EventBus) => Partial<EventBus>;

/** The methods of a bus, of which some are replaced by broken ones. */
export function brokenBus(bus: EventBus, fault: Fault): EventBus {
  return {
    specificationVersion: 'v1',
    open: (context, options) => bus.open(context, options),
    close: (options) => bus.close(options),
    publish: (events, options) => bus.publish(events, options),
    subscribe: (subscription, handler, options) => bus.subscribe(subscription, handler, options),
    ...fault(bus),
  };
}
