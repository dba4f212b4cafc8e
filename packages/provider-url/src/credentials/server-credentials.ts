import { Once, orAborted, type CallOptions, type Clock, type SecretBundle } from '@mcpinfra/core/plugin';
import type { UrlSpec } from '../url-spec.js';
import type { Dispatcher } from 'undici';
import { AccessToken } from './access-token.js';
import { fixedHeaders } from './request-headers.js';
import { requestToken } from './request-token.js';
import type { UrlReferences } from './url-references.js';

/** What credentials are made of. */
export interface ServerCredentialsOptions {
  readonly spec: UrlSpec;
  readonly secrets: () => Promise<SecretBundle>;
  /** What the dispatcher puts into the address; resolved here. */
  readonly references: UrlReferences;
  /** Sends requests to the server and to the authorization server. */
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
}

/** Shows one server who asks. References are resolved at the first request, and again for each new access token. */
export class ServerCredentials {
  /** Sends requests to the server. */
  readonly dispatcher: Dispatcher;
  readonly #options: ServerCredentialsOptions;
  readonly #token: AccessToken | undefined;
  readonly #fixed = new Once(() => this.#resolve());

  constructor(options: ServerCredentialsOptions) {
    this.#options = options;
    const { spec, secrets, dispatcher, clock } = options;
    const { authentication } = spec;
    if (authentication?.type === 'oauth2_client_credentials') {
      const ask = async () => requestToken(authentication, await secrets(), dispatcher);
      this.#token = new AccessToken(ask, clock);
    }
    this.dispatcher = this.#token ? dispatcher.compose(this.#token.forgetRefused) : dispatcher;
  }

  /**
   * Gives the headers of one request.
   *
   * @throws what resolving the references throws; `UNAUTHORIZED`, `TOKEN_REQUEST_FAILED`, `INVALID_SPEC`
   */
  async headers(options?: CallOptions): Promise<Readonly<Record<string, string>>> {
    const { spec, references } = this.#options;
    if (!spec.headers && !spec.authentication && !references.areThere) return {};
    const fixed = await orAborted(this.#fixed.get(), options?.signal);
    if (!this.#token) return fixed;
    return { ...fixed, Authorization: `Bearer ${await this.#token.get(options)}` };
  }

  async #resolve(): Promise<Readonly<Record<string, string>>> {
    const { spec, secrets, references } = this.#options;
    const bundle = await secrets();
    references.resolve(bundle);
    return fixedHeaders(spec, bundle);
  }
}
