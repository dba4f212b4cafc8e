import { Agent as HTTPAgent } from 'node:http';
import { Agent as HTTPSAgent } from 'node:https';
import { setMaxListeners } from 'node:events';
import { inspect } from 'node:util';
import { mcpError, systemClock, throwIfAborted, type Timers, withDeadline } from '@mcpinfra/core/plugin';
import Docker from 'dockerode';
import type { DockerConnection } from './docker-provider-options.js';
import { engineFailure } from './engine-failure.js';

/** How a request to the engine is bounded. */
export interface RequestBounds {
  readonly signal?: AbortSignal | undefined;
  /** How long the engine has to answer; `Infinity` for what only the signal bounds. @defaultValue 30 000 */
  readonly timeoutMs?: number | undefined;
}

const answerMs = 30_000;

/** The engine: every request to it goes through here, has an end, and fails with an error of the library. */
export class Engine {
  /** How messages name it. */
  readonly address: string;
  readonly #connection: DockerConnection;
  readonly #clock: Timers;
  readonly #closing = new AbortController();
  #docker: Docker | undefined;
  #agent: HTTPAgent | undefined;

  constructor(connection: DockerConnection, clock: Timers = systemClock) {
    this.#connection = connection;
    this.#clock = clock;
    this.address = addressOf(connection);
    // Every call under way listens to it.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Fires when the provider is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Asks the engine. A request that is given up is aborted, so that no connection is left to it; what it was answered with
   * too late is ended.
   *
   * @param doing - what for, as the beginning of a sentence: "Removing the container x"
   * @throws `PLACEMENT_UNREACHABLE` when it is away or does not answer in time, the reason of an abort, else
   * `PROVIDER_FAILED` whose status is told by {@link statusOf}
   */
  async ask<T>(
    doing: string,
    { signal, timeoutMs = answerMs }: RequestBounds,
    work: (docker: Docker, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { address } = this;
    try {
      return await withDeadline((ending) => work(this.#client(), ending), {
        clock: this.#clock,
        timeoutMs,
        signals: [this.#closing.signal, signal],
        expired: () => unanswered({ doing, address, timeoutMs }),
        onLate: endIfStream,
      });
    } catch (error) {
      throwIfAborted(this.#closing.signal);
      throwIfAborted(signal);
      throw engineFailure(error, { doing, address });
    }
  }

  /** As {@link Engine.ask}; `undefined` when the engine does not know what is asked for. */
  async askMaybe<T>(
    doing: string,
    bounds: RequestBounds,
    work: (docker: Docker, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.ask(doing, bounds, work);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Ends what is under way and lets go of every connection. */
  close(): void {
    this.#closing.abort(
      mcpError('ALREADY_STOPPED', 'The docker provider was closed; it asks the engine nothing any more.'),
    );
    this.#agent?.destroy();
  }

  #client(): Docker {
    this.#docker ??= this.#connect();
    return this.#docker;
  }

  #connect(): Docker {
    const connection = this.#connection;
    if (connection.kind === 'given')
      return new Docker({ modem: connection.docker.modem } as Docker.DockerOptions);
    const tls = connection.kind === 'tcp' ? connection.tls : undefined;
    this.#agent = tls ? new HTTPSAgent({ keepAlive: true }) : new HTTPAgent({ keepAlive: true });
    // docker-modem inspects its options to full depth for each request, which would go through every socket.
    Object.defineProperty(this.#agent, inspect.custom, { value: () => 'Agent' });
    const options = {
      // Named one by one, for dockerode takes what is left out from DOCKER_HOST.
      socketPath: connection.kind === 'socket' ? connection.socketPath : undefined,
      host: connection.kind === 'tcp' ? connection.host : undefined,
      port: connection.kind === 'tcp' ? connection.port : undefined,
      protocol: tls ? ('https' as const) : ('http' as const),
      ca: tls?.ca,
      cert: tls?.cert,
      key: tls?.key,
      timeout: undefined,
      agent: this.#agent,
    };
    return new Docker(options);
  }
}

function endIfStream(answer: unknown): void {
  (answer as { readonly destroy?: () => void } | null)?.destroy?.();
}

function unanswered(about: { readonly doing: string; readonly address: string; readonly timeoutMs: number }) {
  const { doing, address, timeoutMs } = about;
  const message = `${doing} failed: the engine at ${address} did not answer within ${String(timeoutMs)} ms; look whether it hangs or is overloaded.`;
  return mcpError('PLACEMENT_UNREACHABLE', message, { details: { address, timeoutMs } });
}

/** Whether a request failed because the engine did not answer in time. */
export function hasTimedOut(error: unknown): boolean {
  const details: unknown = (error as { readonly details?: unknown } | null)?.details;
  return typeof details === 'object' && details !== null && 'timeoutMs' in details;
}

/** The HTTP status the engine refused a request with. */
export function statusOf(error: unknown): number | undefined {
  const details: unknown = (error as { readonly details?: unknown } | null)?.details;
  const status: unknown = (details as { readonly status?: unknown } | undefined)?.status;
  return typeof status === 'number' ? status : undefined;
}

/** What the engine said of a request it refused. */
export function saidBy(error: unknown): string {
  const details: unknown = (error as { readonly details?: unknown } | null)?.details;
  const said: unknown = (details as { readonly said?: unknown } | undefined)?.said;
  return typeof said === 'string' ? said : '';
}

function addressOf(connection: DockerConnection): string {
  switch (connection.kind) {
    case 'socket':
      return `unix://${connection.socketPath}`;
    case 'tcp':
      return `tcp://${connection.host}:${String(connection.port)}`;
    case 'given': {
      const modem = connection.docker.modem as { readonly socketPath?: unknown; readonly host?: unknown };
      if (typeof modem.host === 'string') return modem.host;
      return typeof modem.socketPath === 'string' ? `unix://${modem.socketPath}` : 'the given client';
    }
  }
}
