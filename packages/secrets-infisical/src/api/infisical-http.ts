import { type Clock, MCPInfraError, throwIfAborted } from '@mcpinfra/core/plugin';
import { Agent, request } from 'undici';
import type { ResolvedOptions } from '../infisical-secrets-options.js';
import { type Answer, isAboutToken, readAnswer } from './answer.js';
import { type Ask, type RouteName, routes } from './ask.js';
import { type Bounds, pause } from './bounds.js';
import { failure } from './failure.js';

const firstDelayMs = 200;
const longestDelayMs = 5_000;
/** A server that asks for longer than this is asked again all the same. */
const longestPauseMs = 60_000;

/** What could be tried again. */
interface Setback {
  readonly error: MCPInfraError;
  readonly retryAfterMs: number | undefined;
}

/** Sends requests to the server, again when it is away, busy or broken, and waits as long as it asks to. */
export class InfisicalHttp {
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #agent: Agent;
  /** Until when the server wants no requests: it counts them by route. */
  readonly #pausedUntilMs = new Map<RouteName, number>();

  constructor(options: ResolvedOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const { maxConnections: connections, requestTimeoutMs: timeout } = options;
    this.#agent = new Agent({
      connections,
      connect: { timeout },
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
  }

  /** Gives the answer, whatever its status. @throws `SECRET_BACKEND_FAILED` when there is none in time, `ABORTED` */
  async send(ask: Ask, token: string | undefined, bounds: Bounds): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = this.#refusedYet(ask.route) ?? (await this.#once(ask, token, bounds));
      if ('status' in outcome) return outcome;
      const delayMs = outcome.retryAfterMs ?? Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1));
      // Spread, so that those who failed together do not come back together.
      const spreadMs =
        delayMs * (outcome.retryAfterMs === undefined ? 0.5 + Math.random() : 1 + Math.random() / 4);
      const isOver = attempt >= this.#options.maxAttempts;
      if (isOver || this.#clock.monotonicMs() + spreadMs >= bounds.untilMs) throw outcome.error;
      await pause(spreadMs, this.#clock, bounds.signal);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #refusedYet(route: RouteName): Setback | undefined {
    const remainingMs = (this.#pausedUntilMs.get(route) ?? 0) - this.#clock.monotonicMs();
    return remainingMs > 0 ? tooMany(remainingMs) : undefined;
  }

  async #once(ask: Ask, token: string | undefined, { signal }: Bounds): Promise<Answer | Setback> {
    try {
      const answer = await this.#exchange(ask, token, signal);
      return this.#setback(ask.route, answer) ?? answer;
    } catch (cause) {
      throwIfAborted(signal);
      if (MCPInfraError.isInstance(cause)) throw cause;
      return { error: this.#unreachable(cause), retryAfterMs: undefined };
    }
  }

  async #exchange(ask: Ask, token: string | undefined, signal: AbortSignal): Promise<Answer> {
    const { method, path } = routes[ask.route];
    const url = new URL(`${this.#options.siteUrl}${path}${encodeURIComponent(ask.name ?? '')}`);
    url.search = new URLSearchParams(ask.query).toString();
    const response = await request(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(ask.body && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: ask.body ? JSON.stringify(ask.body) : null,
      dispatcher: this.#agent,
      signal,
    });
    return readAnswer(response, this.#clock.now());
  }

  #setback(route: RouteName, answer: Answer): Setback | undefined {
    const { status, retryAfterMs } = answer;
    if (status === 429) {
      const pauseMs = Math.min(longestPauseMs, retryAfterMs ?? 0);
      this.#pausedUntilMs.set(route, this.#clock.monotonicMs() + pauseMs);
      return pauseMs > 0 ? tooMany(pauseMs) : { ...tooMany(0), retryAfterMs: undefined };
    }
    if (status < 500 || isAboutToken(answer)) return undefined;
    const message = `Infisical at ${this.#options.siteUrl} answered with status ${String(status)}: see the logs of its server.`;
    return { error: failure('server-error', message, { status }), retryAfterMs };
  }

  #unreachable(cause: unknown): MCPInfraError {
    const { code, name } = cause as NodeJS.ErrnoException;
    const why = typeof code === 'string' ? code : name;
    return failure(
      'unreachable',
      `Infisical at ${this.#options.siteUrl} could not be reached (${why}): check siteUrl, and whether the server runs and this host reaches it.`,
      { cause },
    );
  }
}

function tooMany(retryAfterMs: number): Setback {
  const until = retryAfterMs > 0 ? `for ${String(Math.ceil(retryAfterMs / 1_000))} s` : 'for now';
  const message = `Infisical admits no more requests of this host ${until}: wait, or raise its rate limit.`;
  return { error: failure('rate-limited', message, { retryAfterMs: Math.ceil(retryAfterMs) }), retryAfterMs };
}
