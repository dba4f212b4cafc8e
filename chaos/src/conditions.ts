import type { Event } from '@mcpinfra/core';

/** Finds what the log tells of the fleet's surroundings that does not go together, each as a sentence. */
export function unpairedConditions(events: readonly Event[]): readonly string[] {
  const open = new Map<string, Event<'FleetDegraded'>[]>();
  const unpaired: string[] = [];
  for (const event of events) {
    if (event.type !== 'FleetDegraded' && event.type !== 'FleetRecovered') continue;
    const { part } = event.data;
    const degraded = open.get(part) ?? [];
    open.set(part, degraded);
    if (event.type === 'FleetDegraded') degraded.push(event);
    else if (!degraded.pop()) unpaired.push(`${part} recovered at ${event.time}, but was not degraded`);
  }
  const rest = [...open.values()].flat();
  return [
    ...unpaired,
    ...rest.map(
      ({ time, data }) => `${data.part} degraded at ${time} with ${data.reason}, but did not recover`,
    ),
  ];
}
