import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Event } from '@mcpinfra/core/plugin';
import { exampleEvents } from './example-events.js';
import type { OpenRoute } from './route.js';

/** As many as the relay of a fleet publishes at once. */
const batchSize = 500;

/** How many events a second are accepted while nobody reads. */
export async function publishedPerSecond(
  open: OpenRoute,
  url: string,
  events: readonly Event[],
): Promise<number> {
  const route = await open(url);
  try {
    const begun = performance.now();
    await publishAll(route.publish.bind(route), events);
    return (events.length / (performance.now() - begun)) * 1_000;
  } finally {
    await route.close();
  }
}

/** How many events a second get from here to a handler. */
export async function handledPerSecond(
  open: OpenRoute,
  url: string,
  events: readonly Event[],
): Promise<number> {
  const warmUp = exampleEvents(1);
  let taken = 0;
  const route = await open(url, () => (taken += 1));
  try {
    await route.publish(warmUp);
    while (taken < warmUp.length) await nextTurn();
    const begun = performance.now();
    await publishAll(route.publish.bind(route), events);
    while (taken < warmUp.length + events.length) await nextTurn();
    return (events.length / (performance.now() - begun)) * 1_000;
  } finally {
    await route.close();
  }
}

async function publishAll(
  publish: (events: readonly Event[]) => Promise<void>,
  events: readonly Event[],
): Promise<void> {
  for (let at = 0; at < events.length; at += batchSize) await publish(events.slice(at, at + batchSize));
}
