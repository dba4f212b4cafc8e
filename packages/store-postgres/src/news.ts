import { setTimeout as sleep } from 'node:timers/promises';
import { Listeners, type StoreNews, type Unsubscribe } from '@mcpinfra/core/plugin';
import type { NewsWire } from './database/database.js';

const kinds: readonly StoreNews[] = ['committed', 'numbered', 'leases'];
const apartMs = 10;
/** So long, at the end, news may take to be sent: whoever misses them looks by itself soon. */
const lastMs = 500;

/**
 * Tells the listeners of this process at once, and other processes soon.
 *
 * A `NOTIFY` takes a lock of the whole cluster until its transaction has ended, so that writes which carry one commit one
 * by one. Therefore it is sent apart from the write, at most once in a while.
 */
export class News {
  readonly #wire: NewsWire | undefined;
  // A listener's failure is not the writer's: what was committed stays committed.
  readonly #listeners = new Listeners<StoreNews>(() => undefined);
  #unsent = new Set<StoreNews>();
  #sending: Promise<void> | undefined;

  constructor(wire: NewsWire | undefined) {
    this.#wire = wire;
  }

  watch(listener: (news: StoreNews) => void): Unsubscribe {
    const remove = this.#listeners.add(listener);
    const all = (): void => kinds.forEach((news) => this.#listeners.tell(news));
    this.#wire?.listen({
      onMessage: (message) =>
        kinds.filter((news) => message.includes(news)).forEach((news) => this.#listeners.tell(news)),
      onGap: all,
      onSilence: all,
    });
    return remove;
  }

  tell(news: StoreNews): void {
    this.#listeners.tell(news);
    if (this.#wire === undefined) return;
    this.#unsent.add(news);
    this.#sending ??= this.#send(this.#wire).finally(() => {
      this.#sending = undefined;
    });
  }

  /** Resolves when everything has been sent, or soon after where that hangs. */
  async sent(): Promise<void> {
    if (this.#sending) await Promise.race([this.#sending, sleep(lastMs, undefined, { ref: false })]);
  }

  async #send(wire: NewsWire): Promise<void> {
    while (this.#unsent.size > 0) {
      const message = [...this.#unsent].join(' ');
      this.#unsent = new Set();
      // Only a hint: who misses it finds the news by a sweep.
      await wire.send(message).catch(() => undefined);
      await sleep(apartMs);
    }
  }
}
