import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '@mcpinfra/core/plugin';
import { exampleEvents } from './example-events.js';
import type { OpenRoute } from './route.js';

/** How long an event takes to its handler, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Publishes events one by one, 1,000 a second, and measures how long each takes to its handler. */
export async function pacedLatency(open: OpenRoute, url: string, events: readonly Event[]): Promise<Latency> {
  const sentAt = new Map<string, number>();
  const taken: number[] = [];
  const route = await open(url, ({ id }) => taken.push(performance.now() - (sentAt.get(id) ?? NaN)));
  try {
    const [warmUp] = exampleEvents(1);
    if (warmUp) await route.publish([warmUp]);
    while (taken.length === 0) await sleep(5);
    taken.length = 0;
    const begun = performance.now();
    let sent = 0;
    while (sent < events.length) {
      // A timer may be late: then what has become due is sent together.
      const due = Math.min(events.length, performance.now() - begun);
      for (; sent < due; sent += 1) {
        const event = events[sent];
        if (event === undefined) break;
        sentAt.set(event.id, performance.now());
        void route.publish([event]);
      }
      await sleep(1);
    }
    while (taken.length < events.length) await sleep(5);
    taken.sort((a, b) => a - b);
    const at = (share: number): number => taken[Math.floor(taken.length * share)] ?? NaN;
    return { p50: at(0.5), p99: at(0.99) };
  } finally {
    await route.close();
  }
}
