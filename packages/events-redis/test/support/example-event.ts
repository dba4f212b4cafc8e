import { randomUUID } from 'node:crypto';
import type { Event } from '@mcpinfra/core/plugin';

let position = 0;

/** Makes an event that is told from others by its `data.part`. */
export function exampleEvent(part: string = randomUUID()): Event<'FleetRecovered'> {
  position += 1;
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/test',
    type: 'FleetRecovered',
    subject: 'fleet',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: 'c-1',
    position,
    resourceVersion: 1,
    data: { part },
  };
}

/** Makes events whose parts are `<name>-0`, `<name>-1` and so on. */
export function exampleEvents(name: string, count: number): readonly Event<'FleetRecovered'>[] {
  return Array.from({ length: count }, (_, index) => exampleEvent(`${name}-${index}`));
}

/** The part of an event made here. */
export function partOf(event: Event): string {
  return event.type === 'FleetRecovered' ? event.data.part : '';
}

/** The parts of events, in an order of their own: a bus gives none. */
export function partsOf(events: Iterable<Event>): readonly string[] {
  return [...events].map(partOf).sort();
}
