import { mcpError, parseSecretReference, type SecretBundle } from '@mcpinfra/core/plugin';
import type { Dispatcher } from 'undici';

// As a document has it, and as a URL writes its braces in a path.
const written = /\$(?:\{|%7B)(secret_ref:[\w.@/:-]{1,600})(?:\}|%7D)/giu;

/**
 * The secrets named in the path or query of an endpoint. They are put into the requests to its server at the last moment, so
 * that everybody before, who may tell of an address, sees the references only.
 */
export class UrlReferences {
  readonly #origin: string;
  readonly #named: ReadonlySet<string>;
  #values: ReadonlyMap<string, string> | undefined;

  constructor(endpoint: string) {
    this.#origin = new URL(endpoint).origin;
    this.#named = new Set([...endpoint.matchAll(written)].map(([, reference = '']) => reference));
  }

  /** Whether there are any. */
  get areThere(): boolean {
    return this.#named.size > 0;
  }

  /** Takes the values. */
  resolve(secrets: SecretBundle): void {
    const valueOf = (reference: string): string => {
      const value = parseSecretReference(reference) ? secrets.render(reference).reveal() : reference;
      // By way of bytes, since half a character cannot be encoded.
      return encodeURIComponent(Buffer.from(value).toString());
    };
    this.#values = new Map([...this.#named].map((reference) => [reference, valueOf(reference)]));
  }

  /** Sends the values. A server that writes the reference into an address of its own, or of another, is told nothing. */
  readonly put: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
    if (!this.areThere || String(options.origin) !== this.#origin) return dispatch(options, handler);
    const path = options.path.replaceAll(written, (piece, reference: string) => {
      if (!this.#named.has(reference)) return piece;
      const value = this.#values?.get(reference);
      if (value === undefined) throw unresolved();
      return value;
    });
    return dispatch({ ...options, path }, handler);
  };
}

function unresolved(): Error {
  return mcpError('INTERNAL', 'A request was made before the secrets in its address were resolved.');
}
