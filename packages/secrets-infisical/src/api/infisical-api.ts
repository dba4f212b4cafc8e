import type { Clock } from '@mcpinfra/core/plugin';
import type { ResolvedOptions } from '../infisical-secrets-options.js';
import type { Folder } from '../mapping/locations.js';
import { AccessToken, type Token } from './access-token.js';
import { type Answer, isAboutToken, isAbsent, isSuccess } from './answer.js';
import type { Ask } from './ask.js';
import type { Bounds } from './bounds.js';
import { InfisicalHttp } from './infisical-http.js';
import { refusal } from './refusal.js';

/** A refusal that does not name the token may still be about it, once the token is this old. */
const doubtfulAgeMs = 60_000;

/** Asks the server as the identity of the options. */
export class InfisicalApi {
  readonly #http: InfisicalHttp;
  readonly #token: AccessToken;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;

  constructor(options: ResolvedOptions, clock: Clock, closing: AbortSignal) {
    this.#options = options;
    this.#clock = clock;
    this.#http = new InfisicalHttp(options, clock);
    this.#token = new AccessToken({ http: this.#http, options, clock, closing });
  }

  get expandsReferences(): boolean {
    return this.#options.expandReferences;
  }

  /** Gives an answer of success, or one that says that something {@link isAbsent}. @throws `SECRET_BACKEND_FAILED`, `ABORTED` */
  async call(ask: Ask, folder: Folder, bounds: Bounds): Promise<Answer> {
    const answer = await this.#asIdentity(ask, bounds);
    if ((isSuccess(answer) && answer.body) || isAbsent(answer)) return answer;
    throw this.refusal(ask, folder, answer);
  }

  /** Makes the error of an answer that does not serve. */
  refusal(ask: Ask, folder: Folder, answer: Answer): Error {
    const { siteUrl, tokenSource } = this.#options;
    return refusal({ ask, folder, answer, siteUrl, tokenKind: tokenSource.kind });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #asIdentity(ask: Ask, bounds: Bounds): Promise<Answer> {
    const token = await this.#token.get(bounds.signal);
    const answer = await this.#http.send(ask, token.value.reveal(), bounds);
    if (!this.#mayBeDead(token, answer)) return answer;
    // Once only: an identity that is refused with a new token too is not allowed what it asks for.
    const fresh = await this.#token.replace(token, bounds.signal);
    if (fresh.value.reveal() === token.value.reveal()) return answer;
    return this.#http.send(ask, fresh.value.reveal(), bounds);
  }

  /** Statuses do not tell an expired token from a missing right, so the token's own clock and the server's words do. */
  #mayBeDead(token: Token, answer: Answer): boolean {
    if (isAboutToken(answer)) return true;
    if (answer.status !== 401 && answer.status !== 403) return false;
    const nowMs = this.#clock.monotonicMs();
    return nowMs >= token.untilMs || nowMs - token.sinceMs >= doubtfulAgeMs;
  }
}
