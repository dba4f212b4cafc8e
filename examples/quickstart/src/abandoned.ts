import { setTimeout as sleep } from 'node:timers/promises';
import { QuickstartFailure } from './failure.js';
import type { Place } from './place.js';

const patienceMs = 15_000;

/** Names what runs of the quickstart left that were killed. */
export async function abandonedBy(places: readonly Place[]): Promise<readonly string[]> {
  return (await Promise.all(places.map((place) => place.abandoned()))).flat();
}

/** Waits until none of it is there any more. The library removes containers of killed hosts while it already works. */
export async function untilGone(places: readonly Place[], names: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const still = (await abandonedBy(places)).filter((name) => names.includes(name));
    if (still.length === 0) return;
    if (performance.now() > deadlineMs)
      throw new QuickstartFailure(`Of an earlier run are left: ${still.join(', ')}.`, 'remove them by hand.');
    await sleep(50);
  }
}
