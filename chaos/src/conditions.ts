import type { Event } from '@mcpinfra/core';
import type { Outage } from './outages.js';

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

/** So near to an outage's begin or end what is told may be of the time before it, or after. */
const nearMs = 2_000;

/**
 * Finds where the log tells that a part has recovered while it worked for nobody, each as a sentence.
 *
 * @param startedAtMs - what the outages' times are counted from, by the clock of events
 */
export function falseRecoveries(
  events: readonly Event[],
  outages: readonly Outage[],
  { startedAtMs, everybody }: { readonly startedAtMs: number; readonly everybody: number },
): readonly string[] {
  return events.flatMap((event) => {
    if (event.type !== 'FleetRecovered') return [];
    const { part } = event.data;
    const atMs = Date.parse(event.time) - startedAtMs;
    const outage = outages.find(
      ({ of, members, fromMs, toMs }) =>
        of === part && members.length === everybody && fromMs + nearMs < atMs && atMs < toMs - nearMs,
    );
    return outage ? [`${part} recovered at ${event.time}, but is ${outage.how}`] : [];
  });
}
