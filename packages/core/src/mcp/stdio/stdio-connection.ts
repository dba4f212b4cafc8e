import type { DiscoverResult, Implementation } from '@modelcontextprotocol/client';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { ProtocolEraChoice } from '../../domain/json-spec/json-spec.js';
import type { Clock } from '../../ports/clock.js';
import { orAborted } from '../../async/abort.js';
import { withDeadline } from '../../async/deadline.js';
import { Once } from '../../async/once.js';
import { describeError, eraMismatch, isModernError, refusesInitialize } from '../era-evidence.js';
import type { JSONObject, Response } from '../json-rpc.js';
import { type Era, initializeParams, withEnvelope } from '../protocol.js';
import { type OpenSession, resultOf, type ServerConnection } from '../server-connection.js';
import {
  isDiscoverResult,
  readDiscoverResult,
  readInitializeResult,
  type ServerHello,
} from '../server-hello.js';
import type { StdioMultiplexer } from './stdio-multiplexer.js';

/** A legacy server may never answer what it does not know, so the question for the era waits no longer. */
const eraProbeMs = 2_000;

/** How a connection over stdio is made. */
export interface StdioConnectionOptions {
  readonly multiplexer: StdioMultiplexer;
  readonly clock: Clock;
  readonly identity: Implementation;
  readonly choice: ProtocolEraChoice;
  /** The era found out earlier; only asked for when the choice is `auto`. */
  readonly era: Era | null;
  readonly rememberEra: (era: Era) => void;
}

/** Speaks MCP over the streams of a server, greeting it once for all sessions. */
export class StdioConnection implements ServerConnection {
  readonly #options: StdioConnectionOptions;
  readonly #mux: StdioMultiplexer;
  /** The one greeting: who gives up leaves it to those who come later, since it cannot be repeated. */
  readonly #greeting = new Once(() => this.#greet());
  #era: Era | null;
  #hello: ServerHello | null = null;
  #discover: DiscoverResult | null = null;

  constructor(options: StdioConnectionOptions) {
    this.#options = options;
    this.#mux = options.multiplexer;
    this.#era = options.choice === 'auto' ? options.era : options.choice;
  }

  get broken(): boolean {
    return this.#mux.ended;
  }

  async hello(signal: AbortSignal): Promise<ServerHello> {
    if (this.#hello === null) return this.#greeted(signal);
    // Any answer shows that it lives, a refusal too.
    if (this.#hello.era === 'legacy') await this.#mux.request('ping', {}, signal);
    else await this.#ask('server/discover', {}, signal);
    return this.#hello;
  }

  async request(method: string, params: JSONObject, signal: AbortSignal): Promise<JSONObject> {
    return resultOf(await this.#ask(method, params, signal), method);
  }

  async openSession(signal: AbortSignal): Promise<OpenSession> {
    await this.#greeted(signal);
    const transport = this.#mux.openSession();
    if (this.#discover !== null) return { transport, prior: { kind: 'modern', discover: this.#discover } };
    return { transport, prior: { kind: 'legacy' } };
  }

  forgetEra(): boolean {
    // A greeting that fails decides anew by itself.
    return false;
  }

  async close(): Promise<void> {
    this.#mux.close();
  }

  #greeted(signal: AbortSignal): Promise<ServerHello> {
    return orAborted(this.#greeting.get(), signal);
  }

  async #greet(): Promise<ServerHello> {
    const met = this.#era === 'legacy' ? 'not asked' : await this.#greetModern();
    if (typeof met === 'object') return met;
    const answer = await this.#mux.request('initialize', initializeParams(this.#options.identity));
    if (refusesInitialize(answer.error)) {
      if (this.#options.choice !== 'auto')
        throw eraMismatch('legacy', 'initialize', describeError(answer.error));
      if (met !== 'refused') {
        this.#learn('modern');
        return this.#greet();
      }
    }
    const initializeResult = resultOf(answer, 'initialize');
    this.#hello = readInitializeResult(initializeResult);
    await this.#mux.notify('notifications/initialized');
    this.#mux.greeted({ era: 'legacy', initializeResult });
    this.#learn('legacy');
    return this.#hello;
  }

  /** Greets by `server/discover`, which a server of the legacy era refuses or is silent about. */
  async #greetModern(): Promise<ServerHello | 'refused' | 'silent'> {
    const answer = this.#era === null ? await this.#probeEra() : await this.#ask('server/discover', {});
    if (isDiscoverResult(answer?.result)) {
      this.#hello = readDiscoverResult(answer.result);
      this.#discover = answer.result;
      this.#mux.greeted({ era: 'modern' });
      this.#learn('modern');
      if (this.#hello.tellsToolChanges) this.#hearToolChanges();
      return this.#hello;
    }
    if (answer !== null && isModernError(answer.error)) resultOf(answer, 'server/discover');
    if (this.#options.choice === 'modern') {
      throw eraMismatch('modern', 'server/discover', describeError(answer?.error));
    }
    this.#learn('legacy');
    return answer === null ? 'silent' : 'refused';
  }

  /** Asks a server of unknown era; null when it does not answer. */
  async #probeEra(): Promise<Response | null> {
    const { clock } = this.#options;
    const expired = () =>
      mcpError('REQUEST_TIMEOUT', `The server did not answer server/discover in ${eraProbeMs} ms.`);
    try {
      return await withDeadline((signal) => this.#ask('server/discover', {}, signal), {
        clock,
        timeoutMs: eraProbeMs,
        expired,
      });
    } catch (error) {
      if (!this.#mux.ended) return null;
      this.#learn('legacy');
      throw mcpError(
        'ERA_MISMATCH',
        'The server ended when it was asked for its protocol era, so it is taken for legacy from its next start on.',
        { cause: error },
      );
    }
  }

  async #ask(method: string, params: JSONObject, signal?: AbortSignal): Promise<Response> {
    const sent = this.#era === 'legacy' ? params : withEnvelope(params, this.#options.identity);
    return this.#mux.request(method, sent, signal);
  }

  #hearToolChanges(): void {
    this.#ask('subscriptions/listen', { notifications: { toolsListChanged: true } }).catch(() => {
      // The stream ends with the channel, of which everybody is told.
    });
  }

  #learn(era: Era): void {
    this.#era = era;
    if (this.#options.choice === 'auto') this.#options.rememberEra(era);
  }
}
