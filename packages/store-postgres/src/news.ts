import {
  Listeners,
  type PartReport,
  SingleFlight,
  sleep,
  type StoreNews,
  systemClock,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';
import type { NewsWire } from './database/database.js';

const kinds: readonly StoreNews[] = ['committed', 'numbered', 'leases'];
const apartMs = 10;
/** So long, at the end, news may take to be sent: whoever misses them looks by itself soon. */
const lastMs = 500;

/** Whether news of other processes arrive. */
interface Hearing {
  readonly isHearing: boolean;
  readonly message: string;
}

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
  readonly #reports = new Listeners<Hearing>(() => undefined);
  readonly #sending: SingleFlight;
  #unsent = new Set<StoreNews>();

  constructor(wire: NewsWire | undefined) {
    this.#wire = wire;
    this.#sending = new SingleFlight(
      () => this.#send(),
      () => undefined,
    );
  }

  watch(listener: (news: StoreNews) => void, report?: PartReport): Unsubscribe {
    const remove = this.#listeners.add(listener);
    const removeReport = this.#reports.add(({ isHearing, message }) => report?.('news', isHearing, message));
    const all = (): void => kinds.forEach((news) => this.#listeners.tell(news));
    this.#wire?.listen({
      onMessage: (message) =>
        kinds.filter((news) => message.includes(news)).forEach((news) => this.#listeners.tell(news)),
      onGap: all,
      onSilence: all,
      onHearing: (isHearing, why) => this.#hears(isHearing, why),
    });
    return () => {
      remove();
      removeReport();
    };
  }

  tell(news: StoreNews): void {
    this.#listeners.tell(news);
    if (this.#wire === undefined) return;
    this.#unsent.add(news);
    void this.#sending.run();
  }

  /** Resolves when everything has been sent, or soon after where that hangs. */
  async sent(): Promise<void> {
    const over = new AbortController();
    const sent = this.#sending.settled().then(() => over.abort());
    await Promise.race([sent, sleep(systemClock, lastMs, over.signal)]);
  }

  async #send(): Promise<void> {
    if (this.#unsent.size === 0) return;
    const message = [...this.#unsent].join(' ');
    this.#unsent = new Set();
    // Only a hint: who misses it finds the news by a sweep.
    await this.#wire?.send(message).catch(() => undefined);
    await sleep(systemClock, apartMs);
  }

  #hears(isHearing: boolean, why = ''): void {
    const message = `What other processes do is looked for every second instead of heard of: ${why}`;
    this.#reports.tell({ isHearing, message });
  }
}
