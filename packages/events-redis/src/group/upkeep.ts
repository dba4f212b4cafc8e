import { messageOf, Recurring, systemClock } from '@mcpinfra/core/plugin';
import { isRefusal } from '../connection/is-refusal.js';
import type { StreamEntry } from '../stream/stream-entry.js';
import { deliveriesOf, type Deliveries } from './deliveries.js';
import type { GroupContext } from './group-context.js';

const longestPauseMs = 2_000;
const batchSize = 100;

/**
 * KEYS: the stream. ARGV: the group, the milliseconds of silence after which a consumer is gone, and one that is gone in
 * any case. In one step: deleting a consumer deletes what it has pending, so it must have nothing at that moment.
 */
const removeGone = `
for _, pairs in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for at = 1, #pairs, 2 do consumer[pairs[at]] = pairs[at + 1] end
  local isGone = consumer['name'] == ARGV[3] or consumer['idle'] > tonumber(ARGV[2])
  if isGone and consumer['pending'] == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer['name'])
  end
end
`;

/** Keeps the entries of this consumer its own while it lives, and takes over those of consumers that do not. */
export class Upkeep {
  readonly #context: GroupContext;
  readonly #deliveries: Deliveries;
  readonly #turning: Recurring;
  #isOver = false;
  #keptMs = 0;
  #sweptMs = 0;

  constructor(context: GroupContext, deliveries: Deliveries) {
    this.#context = context;
    this.#deliveries = deliveries;
    const { settings, report, group } = context;
    const part = `group:${group}/upkeep`;
    const everyMs = Math.min(longestPauseMs, settings.claimIdleMs / 3);
    this.#turning = new Recurring({
      clock: systemClock,
      retryMs: everyMs,
      work: async () => {
        await this.#look();
        report(part, true);
        return everyMs;
      },
      failed: (error) => {
        // Of one that is away others tell; the next turn makes up for it.
        const why = 'What processes that are gone had of the group is not taken over';
        if (isRefusal(error) && !isRefusal(error, 'NOGROUP'))
          report(part, false, `${why}: ${messageOf(error)}`);
      },
    });
  }

  start(): void {
    this.#keptMs = this.#sweptMs = performance.now();
    void this.#turning.now();
  }

  end(): void {
    this.#isOver = true;
    void this.#turning.stop();
  }

  /** Lets others have entries of this consumer at once. */
  async handOver(held: readonly string[]): Promise<void> {
    const { connection, keys, group, consumer, settings } = this.#context;
    for (const ids of chunks(held)) {
      await connection.call('XCLAIM', (redis) =>
        redis.xclaim(keys.events, group, consumer, 0, ...ids, 'IDLE', settings.claimIdleMs, 'JUSTID'),
      );
    }
  }

  /** Takes consumers off the group that have nothing pending and are surely gone, or have been silent for long. */
  async removeGone(surely: string): Promise<void> {
    const { connection, keys, group, settings } = this.#context;
    // One that lives all the same is no worse off: Redis makes it anew when it reads.
    const goneMs = 2 * settings.claimIdleMs;
    await connection.call('XGROUP DELCONSUMER', (redis) =>
      redis.eval(removeGone, 1, keys.events, group, goneMs, surely),
    );
  }

  async #look(): Promise<void> {
    const { claimIdleMs } = this.#context.settings;
    const now = performance.now();
    // Before it looks for idle entries: after a long pause of this process its own are among them.
    if (now - this.#keptMs >= claimIdleMs / 4) {
      await this.#keep();
      this.#keptMs = now;
    }
    await this.#claim();
    if (now - this.#sweptMs >= claimIdleMs) {
      await this.removeGone('');
      this.#sweptMs = now;
    }
  }

  async #keep(): Promise<void> {
    const { connection, keys, group, consumer } = this.#context;
    for (const ids of chunks(this.#deliveries.held)) {
      await connection.call('XCLAIM', (redis) =>
        redis.xclaim(keys.events, group, consumer, 0, ...ids, 'JUSTID'),
      );
    }
  }

  async #claim(): Promise<void> {
    const { connection, keys, group, consumer, settings } = this.#context;
    let cursor = '0-0';
    do {
      const count = Math.min(batchSize, this.#deliveries.room);
      if (count === 0 || this.#isOver) return;
      const start = cursor;
      const [next, claimed] = (await connection.call('XAUTOCLAIM', (redis) =>
        redis.xautoclaim(keys.events, group, consumer, settings.claimIdleMs, start, 'COUNT', count),
      )) as [string, (StreamEntry | null)[]];
      await this.#take(claimed.filter((entry) => entry !== null));
      cursor = next;
    } while (cursor !== '0-0');
  }

  async #take(entries: readonly StreamEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { maxDeliveries } = this.#context.settings;
    const counts = await deliveriesOf(
      this.#context,
      entries.map(([id]) => id),
    );
    entries.forEach((entry, index) => {
      const deliveries = counts[index] ?? 1;
      // One that failed is counted where it failed; this one ended every process it was handed to.
      const reason = 'no process that was handed it lived to acknowledge it';
      if (deliveries > maxDeliveries) this.#deliveries.giveUp(entry, { reason, deliveries: deliveries - 1 });
      else this.#deliveries.take(entry);
    });
  }
}

function* chunks(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += batchSize) yield ids.slice(at, at + batchSize);
}
