import { setImmediate as nextTurn } from 'node:timers/promises';
import { SingleFlight, sleep, systemClock } from '@mcpinfra/core/plugin';
import type { GroupContext } from './group-context.js';

const most = 1_000;
const retryMs = 200;

/** Tells Redis which entries are done: in one command those of one turn of the event loop, again until it has heard. */
export class Acknowledgements {
  readonly #context: GroupContext;
  readonly #onDone: (ids: readonly string[]) => void;
  #ids: string[] = [];
  readonly #flushing = new SingleFlight(
    () => this.#flush(),
    () => undefined,
  );
  #isOver = false;

  constructor(context: GroupContext, onDone: (ids: readonly string[]) => void) {
    this.#context = context;
    this.#onDone = onDone;
  }

  add(id: string): void {
    this.#ids.push(id);
    void this.#flushing.run();
  }

  /** Waits until Redis has heard of all. */
  async settled(): Promise<void> {
    await this.#flushing.settled();
  }

  /** Tries no longer. */
  end(): void {
    this.#isOver = true;
  }

  async #flush(): Promise<void> {
    const { connection, keys, group } = this.#context;
    await nextTurn();
    while (this.#ids.length > 0 && !this.#isOver) {
      const ids = this.#ids.slice(0, most);
      try {
        await connection.call('XACK', (redis) => redis.xack(keys.events, group, ...ids));
        this.#ids = this.#ids.slice(ids.length);
        this.#onDone(ids);
      } catch {
        await sleep(systemClock, retryMs);
      }
    }
  }
}
