import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type ProviderContext } from '@mcpinfra/core/plugin';
import type { Engine } from './engine.js';
import { jsonLines } from './json-lines.js';
import { labelFilter, labels, readOwner, type LabelSet, type OwnedRef, type Owner } from './labels.js';

/** What happened to a container of ours. */
export interface ContainerEvent {
  readonly action: 'die' | 'oom' | 'destroy';
  readonly containerId: string;
  readonly owned: OwnedRef;
}

/** Who is told. */
export interface EventListener {
  onEvent(event: ContainerEvent): void;
  /** The stream is there, for the first time or again. */
  onConnected(): void;
  /** The stream broke: what happens from now on is not told. */
  onLost(): void;
}

const actions = ['die', 'oom', 'destroy'] as const;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Follows what the engine tells of our containers, over one connection that is made again whenever it breaks. */
export class EngineEvents {
  readonly #engine: Engine;
  readonly #owner: Owner;
  readonly #listener: EventListener;
  readonly #host: Pick<ProviderContext, 'logger' | 'report'>;

  constructor(
    engine: Engine,
    owner: Owner,
    to: { readonly listener: EventListener; readonly host: Pick<ProviderContext, 'logger' | 'report'> },
  ) {
    this.#engine = engine;
    this.#owner = owner;
    this.#listener = to.listener;
    this.#host = to.host;
  }

  /** Begins to follow, until the engine's client is closed. Resolves after the first attempt, whether it succeeded or not. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      void this.#follow(resolve);
    });
  }

  async #follow(tried: () => void): Promise<void> {
    const { closing } = this.#engine;
    let pauseMs = firstPauseMs;
    while (!closing.aborted) {
      try {
        await this.#engine.ask(
          'Following the events of the engine',
          undefined,
          async (docker, abortSignal) => {
            const { fleet, storeId } = this.#owner;
            const stream = await docker.getEvents({
              filters: {
                type: ['container'],
                event: [...actions],
                label: labelFilter({ [labels.fleet]: fleet, [labels.store]: storeId }),
              },
              // Not from where it broke: an engine that comes back tells as news that it ended what it found.
              abortSignal,
            });
            pauseMs = firstPauseMs;
            this.#listener.onConnected();
            this.#host.report?.('events', true);
            tried();
            try {
              for await (const line of jsonLines(stream)) this.#take(line);
            } finally {
              this.#listener.onLost();
            }
          },
        );
      } catch (error) {
        this.#host.logger.debug('the events of the engine are interrupted', { error: messageOf(error) });
        const what = 'The engine does not tell its events; what happens to containers is seen later';
        if (!this.#engine.closing.aborted)
          this.#host.report?.('events', false, `${what}: ${messageOf(error)}`);
      }
      tried();
      await delay(pauseMs, undefined, { ref: false, signal: closing }).catch(() => undefined);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  #take(line: unknown): void {
    if (typeof line !== 'object' || line === null) return;
    const { Action: given, Actor: actor } = line as Readonly<Record<string, unknown>>;
    const { ID: id, Attributes: attributes } = (actor ?? {}) as {
      readonly ID?: unknown;
      readonly Attributes?: LabelSet;
    };
    const owned = readOwner(attributes);
    // Podman tells of an end as "died" to some clients.
    const action = given === 'died' ? 'die' : actions.find((known) => known === given);
    if (action === undefined || owned === undefined || typeof id !== 'string') return;
    this.#listener.onEvent({ action, containerId: id, owned });
  }
}
