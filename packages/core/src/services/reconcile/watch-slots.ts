import type { FairSlots } from '../../async/fair-slots.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import type { ReconcileServices } from './reconcile-services.js';

const everyMs = 5_000;

/** For how long a slot may be held before that is told, in milliseconds: longer than any start of a healthy engine. */
const stuckAfterMs = Object.freeze({ starts: 60_000, pulls: 10 * 60_000 });

/** Tells of starts and pulls that hold their slots for too long, until the signal fires. */
export async function watchSlots(services: ReconcileServices, signal: AbortSignal): Promise<void> {
  const { startSlots: starts, pullSlots: pulls, context, condition } = services;
  const told = new Set<string>();
  while (!isAborted(signal)) {
    await sleep(context.clock, everyMs, signal);
    const stuck = new Map<string, string>();
    for (const [what, slots] of Object.entries({ starts, pulls }) as ['starts' | 'pulls', FairSlots][]) {
      for (const { group, sinceMs } of slots.stuck(stuckAfterMs[what])) {
        const part = `${what}:${group}`;
        if (stuck.has(part)) continue;
        const heldS = Math.round((context.clock.monotonicMs() - sinceMs) / 1_000);
        const message = `One of the ${what} at ${group} has been under way for ${String(heldS)} s, and ${String(slots.waiting(group))} wait for a slot; look whether the engine is well.`;
        stuck.set(part, message);
      }
    }
    for (const [part, message] of stuck) condition.report(part, false, message);
    for (const part of told) if (!stuck.has(part)) condition.report(part, true);
    told.clear();
    for (const part of stuck.keys()) told.add(part);
  }
}
