import { orAborted, SharedCalls, type CallOptions, type Clock } from '@mcpinfra/core/plugin';
import type { Dispatcher } from 'undici';
import type { GrantedToken } from './request-token.js';

// A token is replaced this long before its end, or after nine tenths of its time if that is later.
const skewMs = 60_000;

interface Kept {
  readonly value: string;
  readonly untilMs: number;
}

/** Keeps the access token of one server: asked for when first needed, once for all who wait, and again before it ends. */
export class AccessToken {
  readonly #request: () => Promise<GrantedToken>;
  readonly #clock: Clock;
  #kept: Kept | undefined;
  readonly #asking = new SharedCalls<'token', Kept>();

  constructor(request: () => Promise<GrantedToken>, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
  }

  /** Gives a token that is good now. An abort ends the wait only. */
  async get(options?: CallOptions): Promise<string> {
    if (this.#kept && this.#clock.monotonicMs() < this.#kept.untilMs) return this.#kept.value;
    return (
      await orAborted(
        this.#asking.get('token', () => this.#ask()),
        options?.signal,
      )
    ).value;
  }

  /** Lets go of the token with which a request is refused, so that the next one brings another. */
  readonly forgetRefused: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
    const used = this.#kept;
    return dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (controller, status, ...rest) => {
        // Others may have been given a new one meanwhile.
        if (status === 401 && this.#kept === used) this.#kept = undefined;
        handler.onResponseStart?.(controller, status, ...rest);
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
  };

  async #ask(): Promise<Kept> {
    const sentMs = this.#clock.monotonicMs();
    const { value, lifeMs } = await this.#request();
    this.#kept = { value, untilMs: sentMs + Math.max(lifeMs * 0.9, lifeMs - skewMs) };
    return this.#kept;
  }
}
