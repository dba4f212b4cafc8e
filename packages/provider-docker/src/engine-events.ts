import type { IncomingMessage } from 'node:http';
import {
  joinSignals,
  messageOf,
  type ProviderContext,
  sleep,
  systemClock,
  type Timers,
} from '@mcpinfra/core/plugin';
import { type Engine, hasTimedOut } from './engine.js';
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
  /** Events are heard, for the first time or again. */
  onConnected(): void;
  /** What happens from now on is not told, or only later. */
  onLost(): void;
}

/** A stream of events that was opened. */
interface OpenStream {
  /** When it was, in seconds by the engine's clock. */
  readonly sinceSeconds: number | undefined;
  /** Resolves with why when it has broken or ended. */
  readonly broken: Promise<string>;
  end(): void;
}

const actions = ['die', 'oom', 'destroy'] as const;
/** In milliseconds. */
const times = Object.freeze({
  firstPause: 100,
  longestPause: 5_000,
  /** The engine sends nothing while nothing happens, so that a stream that is dead looks like one that is quiet. */
  renew: 10_000,
  answer: 5_000,
});
/** More than engines keep for those who ask for what was. */
const remembered = 1_000;

/**
 * Follows what the engine tells of our containers.
 *
 * A new stream takes the place of the last one every ten seconds, and begins where that one began: one that delivers
 * nothing any more loses nothing, and what both deliver is told once. It is also how an engine that hangs is noticed.
 */
export class EngineEvents {
  readonly #engine: Engine;
  readonly #owner: Owner;
  readonly #listener: EventListener;
  readonly #host: Pick<ProviderContext, 'logger' | 'report'>;
  readonly #clock: Timers;
  readonly #seen = new Set<string>();
  #isHeard = false;

  constructor(
    engine: Engine,
    owner: Owner,
    to: {
      readonly listener: EventListener;
      readonly host: Pick<ProviderContext, 'logger' | 'report'>;
      readonly clock?: Timers | undefined;
    },
  ) {
    this.#engine = engine;
    this.#owner = owner;
    this.#listener = to.listener;
    this.#host = to.host;
    this.#clock = to.clock ?? systemClock;
  }

  /** Begins to follow, until the engine's client is closed. Resolves after the first attempt, whether it succeeded or not. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      void this.#follow(resolve);
    });
  }

  async #follow(tried: () => void): Promise<void> {
    const { closing } = this.#engine;
    let stream: OpenStream | undefined;
    let sinceSeconds: number | undefined;
    let pauseMs: number = times.firstPause;
    while (!closing.aborted) {
      let trouble: string | undefined;
      try {
        const next = await this.#open(sinceSeconds);
        stream?.end();
        stream = next;
        sinceSeconds = next.sinceSeconds;
        pauseMs = times.firstPause;
        this.#hears();
        tried();
        const renewing = new AbortController();
        const isOver = sleep(this.#clock, times.renew, closing, renewing.signal).then(() => undefined);
        trouble = await Promise.race([next.broken, isOver]);
        renewing.abort();
        if (trouble === undefined) continue;
        // An engine that comes back tells as news that it ended what it found.
        sinceSeconds = undefined;
      } catch (error) {
        trouble = messageOf(error);
        // One that does not answer goes on where it was; one that is gone begins anew.
        if (!hasTimedOut(error)) sinceSeconds = undefined;
      }
      stream?.end();
      stream = undefined;
      this.#hearsNot(trouble);
      tried();
      await sleep(this.#clock, pauseMs, closing);
      pauseMs = Math.min(times.longestPause, pauseMs * 2);
    }
    stream?.end();
  }

  /** @param sinceSeconds - from when on what was is told too */
  async #open(sinceSeconds: number | undefined): Promise<OpenStream> {
    const { fleet, storeId } = this.#owner;
    const { signal, end } = this.#untilClosed();
    try {
      const stream = await this.#engine.ask(
        'Following the events of the engine',
        { signal, timeoutMs: times.answer },
        (docker) =>
          docker.getEvents({
            filters: {
              type: ['container'],
              event: [...actions],
              label: labelFilter({ [labels.fleet]: fleet, [labels.store]: storeId }),
            },
            ...(sinceSeconds !== undefined && { since: sinceSeconds }),
            abortSignal: signal,
          }),
      );
      const broken = this.#read(stream, signal);
      return { sinceSeconds: answeredSeconds(stream), broken, end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** A signal for what outlives a request: ended by hand, or with the engine's client. */
  #untilClosed(): { readonly signal: AbortSignal; readonly end: () => void } {
    const ending = new AbortController();
    const { signal, release } = joinSignals([this.#engine.closing, ending.signal]);
    const end = (): void => {
      ending.abort();
      release();
    };
    return { signal, end };
  }

  /** Resolves with why it is over; never rejects. */
  async #read(stream: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
    try {
      for await (const line of jsonLines(stream)) if (!signal.aborted) this.#take(line);
      return 'the engine ended the stream';
    } catch (error) {
      return messageOf(error);
    }
  }

  #hears(): void {
    this.#host.report?.('events', true);
    if (this.#isHeard) return;
    this.#isHeard = true;
    this.#listener.onConnected();
  }

  #hearsNot(why: string): void {
    if (this.#engine.closing.aborted) return;
    this.#host.logger.debug('the events of the engine are interrupted', { error: why });
    const what = 'The engine does not tell its events; what happens to containers is seen later';
    this.#host.report?.('events', false, `${what}: ${why}`);
    if (!this.#isHeard) return;
    this.#isHeard = false;
    this.#listener.onLost();
  }

  #take(line: unknown): void {
    if (typeof line !== 'object' || line === null) return;
    const { Action: given, Actor: actor, timeNano } = line as Readonly<Record<string, unknown>>;
    const { ID: id, Attributes: attributes } = (actor ?? {}) as {
      readonly ID?: unknown;
      readonly Attributes?: LabelSet;
    };
    const owned = readOwner(attributes);
    // Podman tells of an end as "died" to some clients.
    const action = given === 'died' ? 'die' : actions.find((known) => known === given);
    if (action === undefined || owned === undefined || typeof id !== 'string') return;
    if (typeof timeNano === 'number' && this.#hasSeen(`${String(timeNano)} ${id} ${action}`)) return;
    this.#listener.onEvent({ action, containerId: id, owned });
  }

  #hasSeen(key: string): boolean {
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    const [oldest] = this.#seen;
    if (this.#seen.size > remembered && oldest !== undefined) this.#seen.delete(oldest);
    return false;
  }
}

/** When the engine answered, by its own clock, which need not be ours; a second early, for it tells whole ones. */
function answeredSeconds(stream: NodeJS.ReadableStream): number | undefined {
  const { date = '' } = (stream as Partial<IncomingMessage>).headers ?? {};
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1_000) - 1;
}
