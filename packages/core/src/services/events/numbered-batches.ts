import { nextTurn } from '../../async/next-turn.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Event } from '../../domain/events/event.js';
import type { EventLog } from '../../ports/store.js';

/**
 * Numbers what is committed, batch by batch, until nothing is left. However much that is, everything else has its turn
 * between two batches.
 *
 * @throws `PLUGIN_CONTRACT` where a batch comes again, so that there would be no end
 */
export async function* numberedBatches(log: EventLog, limit: number): AsyncGenerator<readonly Event[]> {
  for (let before = -1; ;) {
    const batch = await log.number(limit);
    const [first] = batch;
    const last = batch.at(-1);
    if (!first || !last) return;
    if (first.position <= before) {
      const message = `Expected events.number() of the store to give events after position ${before}, got position ${first.position} again.`;
      throw mcpError('PLUGIN_CONTRACT', message);
    }
    before = last.position;
    yield batch;
    await nextTurn();
  }
}
