import type { DiscoverResult, Implementation } from '@modelcontextprotocol/client';
import { isObject } from '../../domain/is-object.js';
import type { ProtocolEraChoice } from '../../domain/json-spec/json-spec.js';
import type { Clock } from '../../ports/clock.js';
import { describeError, eraMismatch, isModernError, refusesInitialize } from '../era-evidence.js';
import { type JSONObject, type Message, rpcErrors } from '../json-rpc.js';
import { type Era, initializeParams, modernVersion, withEnvelope } from '../protocol.js';
import { type OpenSession, resultOf, type ServerConnection } from '../server-connection.js';
import {
  isDiscoverResult,
  readDiscoverResult,
  readInitializeResult,
  sameServer,
  type ServerHello,
} from '../server-hello.js';
import { endSession } from './end-session.js';
import type { HTTPEndpoint } from './http-endpoint.js';
import { httpStatus, type PostedAnswer, postMessage } from './post-message.js';

/** How a connection over streamable HTTP is made. */
export interface StreamableConnectionOptions {
  readonly endpoint: HTTPEndpoint;
  readonly clock: Clock;
  readonly identity: Implementation;
  readonly choice: ProtocolEraChoice;
  /** The era found out earlier; only asked for when the choice is `auto`. */
  readonly era: Era | null;
  readonly rememberEra: (era: Era) => void;
  readonly onOther: (message: Message) => void;
  /** Makes the transport of a client. */
  readonly openTransport: () => Promise<OpenSession['transport']>;
}

/** The session kept at a legacy server, so that looking at it does not leave one behind each time. */
interface LegacySession {
  /** Absent at servers without sessions. */
  readonly id: string | undefined;
  readonly version: string;
}

/**
 * Speaks MCP over streamable HTTP in single requests, without a client object: there may be ten thousand of these.
 */
export class StreamableConnection implements ServerConnection {
  readonly #options: StreamableConnectionOptions;
  #era: Era | null;
  #session: LegacySession | null = null;
  #hello: ServerHello | null = null;
  #nextId = 0;

  constructor(options: StreamableConnectionOptions) {
    this.#options = options;
    this.#era = options.choice === 'auto' ? options.era : options.choice;
  }

  get broken(): boolean {
    // Each request connects anew if it has to.
    return false;
  }

  async hello(signal: AbortSignal): Promise<ServerHello> {
    if (this.#era === 'legacy' && this.#session !== null && this.#hello !== null) {
      if (await this.#ping(this.#session, signal)) return this.#hello;
      this.#session = null;
    }
    return this.#greet(signal);
  }

  async request(method: string, params: JSONObject, signal: AbortSignal): Promise<JSONObject> {
    const answer = await this.#ask(method, params, signal);
    return resultOf(answer.response ?? this.#unexpected(answer), method);
  }

  async openSession(signal: AbortSignal): Promise<OpenSession> {
    // What is known to be legacy is greeted by the client itself.
    const discover = this.#era === 'legacy' ? null : await this.#discover(signal);
    const transport = await this.#options.openTransport();
    return { transport, prior: discover === null ? { kind: 'legacy' } : { kind: 'modern', discover } };
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session?.id === undefined) return;
    await endSession(this.#options, { id: session.id, version: session.version });
  }

  forgetEra(): boolean {
    if (this.#options.choice !== 'auto' || this.#era === null) return false;
    this.#era = null;
    return true;
  }

  async #greet(signal: AbortSignal): Promise<ServerHello> {
    const asked = this.#era !== 'legacy';
    const discover = asked ? await this.#discover(signal) : null;
    if (discover !== null) return this.#meet(readDiscoverResult(discover));
    const answer = await this.#post('initialize', initializeParams(this.#options.identity), signal);
    if (refusesInitialize(answer.response?.error)) {
      if (this.#options.choice !== 'auto') {
        throw eraMismatch('legacy', 'initialize', describeError(answer.response?.error));
      }
      if (!asked) {
        this.#era = 'modern';
        return this.#greet(signal);
      }
    }
    const hello = readInitializeResult(resultOf(answer.response ?? this.#unexpected(answer), 'initialize'));
    this.#session = { id: answer.sessionId, version: hello.protocolVersion };
    this.#learn('legacy');
    this.#hello = hello;
    await this.#notifyInitialized(signal);
    return hello;
  }

  /** Asks for what the server is; null when it turns out to be of the legacy era. */
  async #discover(signal: AbortSignal): Promise<(JSONObject & DiscoverResult) | null> {
    const answer = await this.#post('server/discover', withEnvelope({}, this.#options.identity), signal);
    const { response } = answer;
    if (isDiscoverResult(response?.result)) {
      this.#learn('modern');
      return response.result;
    }
    if (isModernError(response?.error) && response !== undefined) resultOf(response, 'server/discover');
    if (this.#options.choice === 'modern') {
      const said = response === undefined ? `status ${answer.status}` : describeError(response.error);
      throw eraMismatch('modern', 'server/discover', said);
    }
    this.#learn('legacy');
    return null;
  }

  /** Keeps the greeting of before while it says the same, so that it shows when the server changed. */
  #meet(hello: ServerHello): ServerHello {
    if (this.#hello === null || !sameServer(this.#hello, hello)) this.#hello = hello;
    return this.#hello;
  }

  /** Pings on the kept session; false when the server does not know it any more. */
  async #ping({ id }: LegacySession, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#post('ping', {}, signal);
    if (answer.response?.result !== undefined) return true;
    // Servers without ping are alive too; one that was started anew may say anything else.
    if (answer.response?.error?.code === rpcErrors.methodNotFound) return true;
    if (id === undefined && answer.response === undefined) this.#unexpected(answer);
    return false;
  }

  async #notifyInitialized(signal: AbortSignal): Promise<void> {
    const headers = this.#headers('notifications/initialized', {});
    const message = { jsonrpc: '2.0', method: 'notifications/initialized' } as const;
    await postMessage(message, { ...this.#options, headers, signal });
  }

  async #ask(method: string, params: JSONObject, signal: AbortSignal): Promise<PostedAnswer> {
    return this.#post(
      method,
      this.#era === 'modern' ? withEnvelope(params, this.#options.identity) : params,
      signal,
    );
  }

  async #post(method: string, params: JSONObject, signal: AbortSignal): Promise<PostedAnswer> {
    const headers = this.#headers(method, params);
    const message = { jsonrpc: '2.0', id: (this.#nextId += 1), method, params } as const;
    return postMessage(message, { ...this.#options, headers, signal });
  }

  #headers(method: string, params: JSONObject): Record<string, string> {
    if (isObject(params['_meta'])) {
      const name = method === 'tools/call' ? { 'mcp-name': headerValue(String(params['name'])) } : {};
      return { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...name };
    }
    const session = method === 'initialize' ? null : this.#session;
    if (session === null) return {};
    return {
      'mcp-protocol-version': session.version,
      ...(session.id !== undefined && { 'mcp-session-id': session.id }),
    };
  }

  #unexpected(answer: PostedAnswer): never {
    throw httpStatus(answer.status, this.#options.endpoint.url, answer.excerpt);
  }

  #learn(era: Era): void {
    this.#era = era;
    this.#options.rememberEra(era);
  }
}

/** Writes a value as a header may carry it (MCP 2026-07-28, transports). */
function headerValue(value: string): string {
  return /^[\x21-\x7e]*$/.test(value) ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
}
