import { type Clock, MCPInfraError, orAborted, revealText, Secret, SharedCalls } from '@mcpinfra/core/plugin';
import type { ResolvedOptions, TokenSource } from '../infisical-secrets-options.js';
import { isSuccess, type Answer } from './answer.js';
import { type Bounds, withinBounds } from './bounds.js';
import { failure } from './failure.js';
import type { InfisicalHttp } from './infisical-http.js';

/** A token is replaced this long before its end, or after nine tenths of its life if that is later. */
const skewMs = 30_000;

/** A token that was granted. */
export interface Token {
  readonly value: Secret;
  /** When it was asked for, on the monotonic clock. */
  readonly sinceMs: number;
  /** From when on a new one is asked for. */
  readonly untilMs: number;
}

/** Keeps the access token: asked for when first needed, once for all who wait, and again before it ends. */
export class AccessToken {
  readonly #http: InfisicalHttp;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  #kept: Token | undefined;
  readonly #asking = new SharedCalls<'token', Token>();

  constructor(parts: {
    readonly http: InfisicalHttp;
    readonly options: ResolvedOptions;
    readonly clock: Clock;
    readonly closing: AbortSignal;
  }) {
    this.#http = parts.http;
    this.#options = parts.options;
    this.#clock = parts.clock;
    this.#closing = parts.closing;
  }

  /** Gives a token that is good by its own clock. An abort ends the wait only: others may wait for the same. */
  async get(signal: AbortSignal): Promise<Token> {
    if (this.#kept && this.#clock.monotonicMs() < this.#kept.untilMs) return this.#kept;
    return orAborted(
      this.#asking.get('token', () => this.#ask()),
      signal,
    );
  }

  /** Gives another token than one that was refused: asks for one unless somebody has done so meanwhile. */
  async replace(refused: Token, signal: AbortSignal): Promise<Token> {
    if (this.#kept === refused) this.#kept = undefined;
    return this.get(signal);
  }

  async #ask(): Promise<Token> {
    const { timeoutMs, tokenSource } = this.#options;
    const signals = [this.#closing];
    this.#kept = await withinBounds({ timeoutMs, clock: this.#clock, signals }, (bounds) =>
      tokenSource.kind === 'token' ? this.#given(tokenSource.give) : this.#login(tokenSource, bounds),
    );
    return this.#kept;
  }

  async #given(give: () => string | Secret | Promise<string | Secret>): Promise<Token> {
    const sinceMs = this.#clock.monotonicMs();
    try {
      const value = revealText(await give());
      if (typeof value === 'string' && value !== '')
        return { value: new Secret(value), sinceMs, untilMs: Infinity };
    } catch (cause) {
      if (MCPInfraError.isInstance(cause)) throw cause;
      // The cause is the host's own and may hold what it read.
    }
    throw failure(
      'credentials-refused',
      'The token function of infisicalSecrets failed or gave no token: see what it reads.',
    );
  }

  async #login(source: TokenSource & { readonly kind: 'universal' }, bounds: Bounds): Promise<Token> {
    const sinceMs = this.#clock.monotonicMs();
    const body = { clientId: source.clientId, clientSecret: source.clientSecret.reveal() };
    const answer = await this.#http.send({ route: 'login', body }, undefined, bounds);
    if (!isSuccess(answer)) throw this.#refused(answer);
    const { accessToken, expiresIn } = answer.body ?? {};
    if (typeof accessToken !== 'string' || accessToken === '') {
      const message = `${this.#options.siteUrl} answered a login without an access token: check that siteUrl is Infisical's, with no login page before it.`;
      throw failure('unexpected-answer', message);
    }
    const lifeMs = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn * 1_000 : Infinity;
    return {
      value: new Secret(accessToken),
      sinceMs,
      untilMs: sinceMs + Math.max(lifeMs * 0.9, lifeMs - skewMs),
    };
  }

  #refused({ status, body }: Answer): MCPInfraError {
    const { siteUrl } = this.#options;
    const said = `Infisical at ${siteUrl} refused the login (status ${String(status)})`;
    if (typeof body?.['message'] === 'string' && body['message'].includes('locked'))
      return failure(
        'credentials-refused',
        `${said}: it is locked after failed ones; correct the credentials and wait.`,
        { status },
      );
    if (status === 404 || (status >= 300 && status < 400))
      return failure(
        'unexpected-answer',
        `${said}: check that siteUrl is where Infisical is, without a redirect.`,
        { status },
      );
    const remedy = 'check clientId and clientSecret, and that the secret has not expired or been revoked';
    return failure('credentials-refused', `${said}: ${remedy}.`, { status });
  }
}
