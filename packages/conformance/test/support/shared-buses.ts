import { memoryEventBus } from '@mcpinfra/core';
import {
  type Event,
  type EventBus,
  type EventBusContext,
  type EventHandler,
  type EventSubscription,
  mcpError,
  type Unsubscribe,
} from '@mcpinfra/core/plugin';

/** Gives a function that makes buses as several processes have them: one backend within this process. */
export function sharedBuses(): () => SharedBus {
  const backend = new Map<string, EventBus>();
  return () => new SharedBus(backend);
}

/** One of several buses on a backend: one memory bus for each fleet. */
export class SharedBus implements EventBus {
  readonly specificationVersion = 'v1';
  readonly #backend: Map<string, EventBus>;
  readonly #leaves = new Set<Unsubscribe>();
  readonly #running = new Set<Promise<void>>();
  #bus: EventBus | undefined;
  #closed = false;

  constructor(backend: Map<string, EventBus>) {
    this.#backend = backend;
  }

  async open({ fleet }: EventBusContext): Promise<void> {
    this.#bus = this.#backend.get(fleet) ?? memoryEventBus();
    this.#backend.set(fleet, this.#bus);
  }

  async close({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#closed = true;
    for (const leave of this.#leaves) leave();
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener('abort', () => resolve());
    });
    await Promise.race([aborted, Promise.allSettled(this.#running)]);
  }

  async publish(events: readonly Event[], options?: { signal?: AbortSignal | undefined }): Promise<void> {
    await this.#opened().publish(structuredClone(events), options);
  }

  async subscribe(
    subscription: EventSubscription,
    handler: EventHandler,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Unsubscribe> {
    const handle = async (event: Event) => {
      const run = Promise.resolve(event).then(handler);
      this.#running.add(run);
      await run.finally(() => this.#running.delete(run));
    };
    const leave = await this.#opened().subscribe(subscription, handle, options);
    this.#leaves.add(leave);
    return leave;
  }

  healthy(): boolean {
    return this.#bus !== undefined && !this.#closed;
  }

  #opened(): EventBus {
    if (this.#closed) throw mcpError('ALREADY_STOPPED', 'The bus has been closed.');
    if (!this.#bus) throw mcpError('NOT_STARTED', 'Call open() first.');
    return this.#bus;
  }
}
