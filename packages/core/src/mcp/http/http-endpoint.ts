import type { FetchLike } from '@modelcontextprotocol/client';
import type { Dispatcher, RequestInit as UndiciInit } from 'undici';
import type * as Undici from 'undici';
import { Once } from '../../async/once.js';
import { normaliseError } from '../../domain/errors/normalise-error.js';
import type { Dialed } from '../../ports/provider.js';
import { networkError } from '../network-error.js';

/** A dialled HTTP server. */
export type DialedHTTP = Extract<Dialed, { kind: 'http' }>;

/** How an endpoint is made. */
export interface HTTPEndpointOptions {
  readonly dialed: DialedHTTP;
  /** Gives what connects when the provider has nothing of its own. */
  readonly agent: () => Promise<Dispatcher>;
  readonly onBytes: () => void;
}

/** One request for ourselves. */
export interface EndpointRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly url?: URL | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** Sends requests to one server by the rules of its provider: its dispatcher, its credentials, its Host. */
export class HTTPEndpoint {
  readonly #options: HTTPEndpointOptions;
  readonly #ready: Once<Omit<Parts, 'own'>>;
  #url: URL;

  constructor(options: HTTPEndpointOptions) {
    this.#options = options;
    const { dialed, agent } = options;
    this.#ready = new Once(async () => {
      const [undici, dispatcher] = await Promise.all([import('undici'), dialed.dispatcher ?? agent()]);
      return { undici, dispatcher };
    });
    this.#url = options.dialed.url;
  }

  /** Where the server is, after redirects. */
  get url(): URL {
    return this.#url;
  }

  get transport(): DialedHTTP['transport'] {
    return this.#options.dialed.transport;
  }

  /** Whether requests have to be made by the rules of the provider, so that no socket may be opened otherwise. */
  get isGuarded(): boolean {
    return this.#options.dialed.dispatcher !== undefined;
  }

  /** Takes the address a redirect names, within the same origin only: credentials go nowhere else. */
  follow(location: string): boolean {
    const target = URL.canParse(location, this.#url.href) ? new URL(location, this.#url) : null;
    if (target?.origin !== this.#url.origin || target.href === this.#url.href) return false;
    this.#url = target;
    return true;
  }

  /**
   * Sends a request; redirects are not followed.
   *
   * @throws `CONNECTION_REFUSED`, `CONNECTION_CLOSED`, `REQUEST_TIMEOUT`, `PROTOCOL_ERROR`
   */
  async request({
    method,
    url = this.#url,
    headers,
    body,
    signal,
  }: EndpointRequest): Promise<Dispatcher.ResponseData> {
    const { undici, dispatcher, own } = await this.#parts(signal);
    try {
      const response = await undici.request(url, {
        method,
        headers: { ...own, ...headers },
        body: body ?? null,
        signal,
        dispatcher,
      });
      this.#options.onBytes();
      return response;
    } catch (error) {
      signal.throwIfAborted();
      throw networkError(error, url);
    }
  }

  /** The fetch of the MCP client's transports. */
  readonly fetch: FetchLike = async (input, init) => {
    const { undici, dispatcher, own } = await this.#parts(init?.signal ?? undefined);
    const { host, ...rest } = own;
    const headers = new undici.Headers(rest);
    new Headers(init?.headers).forEach((value, name) => headers.set(name, value));
    // The types of fetch differ by version of undici, what they describe does not.
    const response: unknown = await undici.fetch(input, {
      ...(init as unknown as UndiciInit | undefined),
      headers,
      // Fetch drops a Host among the headers.
      dispatcher: dispatcher.compose(
        observed(this.#options.onBytes),
        ...(host === undefined ? [] : [withHost(host)]),
      ),
    });
    return response as Response;
  };

  async #parts(signal: AbortSignal | undefined): Promise<Parts> {
    const { dialed } = this.#options;
    const ready = await this.#ready.get();
    let own: Readonly<Record<string, string>>;
    try {
      own = await dialed.headers({ signal });
    } catch (error) {
      throw normaliseError(error, 'PROVIDER_FAILED', 'Making the headers of a request failed');
    }
    const lowerCased = Object.entries(own).map(([name, value]) => [name.toLowerCase(), value] as const);
    return { ...ready, own: Object.fromEntries(lowerCased) };
  }
}

/** What a request is made with. */
interface Parts {
  readonly undici: typeof Undici;
  readonly dispatcher: Dispatcher;
  /** The headers of the provider, names in lower case. */
  readonly own: Readonly<Record<string, string>>;
}

function observed(onBytes: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (...args) => {
        onBytes();
        handler.onResponseStart?.(...args);
      },
      onResponseData: (...args) => {
        onBytes();
        handler.onResponseData?.(...args);
      },
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}

function withHost(host: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch({ ...options, headers: { ...(options.headers as Record<string, string>), host } }, handler);
}
