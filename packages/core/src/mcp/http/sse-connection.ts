import type { Client, Implementation } from '@modelcontextprotocol/client';
import type { Logger } from '../../ports/logger.js';
import type { JSONObject } from '../json-rpc.js';
import { noTimeout, openClient } from '../open-client.js';
import { normaliseSDKError } from '../normalise-sdk-error.js';
import type { OpenSession, ServerConnection } from '../server-connection.js';
import { readInitializeResult, type ServerHello } from '../server-hello.js';

/** How a connection over the older transport with server-sent events is made. */
export interface SSEConnectionOptions {
  readonly url: URL;
  readonly logger: Logger;
  readonly identity: Implementation;
  /** Makes the transport of a client. */
  readonly openTransport: () => Promise<OpenSession['transport']>;
}

/** Speaks MCP over HTTP+SSE (2024-11-05). Answers come on a stream that stays open, so a client object keeps it. */
export class SSEConnection implements ServerConnection {
  readonly #options: SSEConnectionOptions;
  #open: { readonly client: Client; readonly hello: ServerHello } | null = null;

  constructor(options: SSEConnectionOptions) {
    this.#options = options;
  }

  get broken(): boolean {
    // A stream that ended is opened anew.
    return false;
  }

  async hello(signal: AbortSignal): Promise<ServerHello> {
    if (this.#open !== null) {
      await this.#request('ping', {}, signal);
      return this.#open.hello;
    }
    const { logger, identity } = this.#options;
    const client = await this.#normalised('initialize', async () =>
      openClient(await this.openSession(), { identity, logger, signal }),
    );
    const hello = readInitializeResult({
      protocolVersion: client.getNegotiatedProtocolVersion(),
      capabilities: client.getServerCapabilities(),
      serverInfo: client.getServerVersion(),
    });
    this.#open = { client, hello };
    client.onclose = () => {
      this.#open = null;
    };
    return hello;
  }

  async request(method: string, params: JSONObject, signal: AbortSignal): Promise<JSONObject> {
    await this.hello(signal);
    return this.#request(method, params, signal);
  }

  async openSession(): Promise<OpenSession> {
    return { transport: await this.#options.openTransport(), prior: { kind: 'legacy' } };
  }

  forgetEra(): boolean {
    return false;
  }

  async close(): Promise<void> {
    await this.#open?.client.close();
  }

  async #request(method: string, params: JSONObject, signal: AbortSignal): Promise<JSONObject> {
    return this.#normalised(method, async () => {
      if (this.#open === null) return {};
      const request = { method: method as 'tools/list', params };
      return this.#open.client.request(request, { signal, timeout: noTimeout });
    });
  }

  async #normalised<T>(method: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const normal = normaliseSDKError(error, { method, url: this.#options.url });
      // A stream that does not answer is given up: the next look opens another.
      if (normal.code !== 'PROTOCOL_ERROR') await this.close();
      throw normal;
    }
  }
}
