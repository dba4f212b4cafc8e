import type { Implementation } from '@modelcontextprotocol/client';
import { isObject } from '../../domain/is-object.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { StdioChannel } from '../../ports/provider.js';
import { type CallCounter, isCall } from '../call-counter.js';
import { abortError } from '../../async/abort.js';
import * as rpc from '../json-rpc.js';
import { limits } from '../limits.js';
import { type Era, metaKeys, withEnvelope } from '../protocol.js';
import { quote } from '../server-hello.js';
import { type CallOwner, CallTable, type PendingCall } from './call-table.js';
import type { Greeting } from './greeting.js';
import { MessagePipe, type PipeListener } from './message-pipe.js';
import { MuxSession, type SessionHost } from './mux-session.js';
import { OwnCall } from './own-call.js';
import { routeNotification } from './route-notification.js';
import { answerLocally } from './session-requests.js';
import { SharedSettings } from './shared-settings.js';

/** How a multiplexer is made. */
export interface StdioMultiplexerOptions {
  readonly channel: StdioChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: Implementation;
  readonly counter: CallCounter;
  /** @defaultValue the limit of one message */
  readonly maxMessageBytes?: number | undefined;
  readonly onBytes: () => void;
  readonly onToolsChanged: () => void;
}

/**
 * Lets many client sessions share one server on one pair of streams.
 *
 * Ids, progress tokens and subscription ids are rewritten, so that what the server answers reaches the session that
 * asked and no other. What comes late, twice or unasked is dropped.
 */
export class StdioMultiplexer implements SessionHost, PipeListener {
  readonly #options: StdioMultiplexerOptions;
  readonly #pipe: MessagePipe;
  readonly #calls: CallTable;
  readonly #sessions = new Set<MuxSession>();
  readonly #settings = new SharedSettings<CallOwner>();
  #greeting: Greeting | null = null;
  #unknownAnswers = 0;

  constructor(options: StdioMultiplexerOptions) {
    this.#options = options;
    const { channel, clock, logger, maxMessageBytes: maxBytes = limits.messageBytes } = options;
    this.#calls = new CallTable(channel.wasUsed === true);
    const maxBytesRead = (): number =>
      this.#calls.has((owner) => owner instanceof MuxSession)
        ? maxBytes
        : Math.min(maxBytes, limits.ownAnswerBytes);
    this.#pipe = new MessagePipe({ channel, clock, logger, maxBytes, maxBytesRead, listener: this });
    if (channel.wasUsed === true) this.#endHalfLine();
  }

  get ended(): boolean {
    return this.#pipe.ended;
  }

  /** Notes how the server was greeted; before, there are no sessions. */
  greeted(greeting: Greeting): void {
    this.#greeting = greeting;
  }

  openSession(): MuxSession {
    const session = new MuxSession(this);
    this.#sessions.add(session);
    return session;
  }

  /**
   * Asks the server something for ourselves. An abort cancels the call.
   *
   * @throws `CONNECTION_CLOSED`, `MESSAGE_TOO_LARGE`
   */
  async request(method: string, params: rpc.JSONObject, signal?: AbortSignal): Promise<rpc.Response> {
    if (signal?.aborted === true) throw abortError(signal);
    const owner = new OwnCall();
    const onAbort = (): void => {
      for (const call of this.#calls.list(owner)) this.#cancel(call, 'The caller waits no longer.');
      if (signal !== undefined) owner.fail(0, abortError(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      void this.#forward(owner, { jsonrpc: '2.0', id: 0, method, params }).catch((error: unknown) => {
        owner.fail(0, error as MCPInfraError);
      });
      const answer = await owner.answer;
      const { message = '', data } = answer.error ?? {};
      // Not the server answered this, but a peer that no longer reaches it.
      if (isObject(data) && data['unsent'] === true)
        throw mcpError('CONNECTION_CLOSED', message, { details: { unsent: true } });
      return answer;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async notify(method: string, params?: rpc.JSONObject): Promise<void> {
    await this.#pipe.send({ jsonrpc: '2.0', method, params });
  }

  /** Ends all sessions and lets go of the channel; the server goes on. Idempotent. */
  close(): void {
    this.#pipe.end(mcpError('CONNECTION_CLOSED', 'The connection to the server was closed on our side.'));
  }

  /** Takes a message of a session. */
  async take(session: MuxSession, message: rpc.Message): Promise<void> {
    if (!this.#sessions.has(session))
      throw mcpError('CONNECTION_CLOSED', 'The session has ended; open a new one.', {
        details: { unsent: true },
      });
    // Nothing of the server's asks a session, so an answer of one answers nothing.
    if (rpc.isResponse(message)) return;
    if (!rpc.isRequest(message)) return this.#takeNotification(session, message);
    const local = answerLocally(session, message, { greeting: this.#greeting, settings: this.#settings });
    if ('method' in local) return this.#forward(session, local);
    queueMicrotask(() => session.deliver(local));
  }

  /** Ends a session: cancels its calls and takes back what only it had asked for. */
  leave(session: MuxSession): void {
    if (!this.#sessions.delete(session)) return;
    for (const call of this.#calls.list(session)) this.#cancel(call, 'The client has left.');
    const { unsubscribe, level } = this.#settings.leave(session);
    for (const uri of unsubscribe) this.#tell('resources/unsubscribe', { uri });
    if (level !== undefined) this.#tell('logging/setLevel', { level });
  }

  onBytes(): void {
    this.#options.onBytes();
  }

  onMessage(message: rpc.Message): boolean {
    if (rpc.isResponse(message)) return this.#onResponse(message);
    if (rpc.isRequest(message)) this.#onServerRequest(message);
    else {
      if (message.method === 'notifications/tools/list_changed') this.#options.onToolsChanged();
      routeNotification(message, { calls: this.#calls, sessions: this.#sessions, settings: this.#settings });
    }
    return false;
  }

  onEnd(reason: MCPInfraError): void {
    for (const call of this.#calls.list()) {
      this.#finish(call);
      call.owner.fail(call.ownId, call.method === 'tools/call' ? outcomeUnknown(reason) : reason);
    }
    for (const session of this.#sessions) session.end();
    this.#sessions.clear();
  }

  /**
   * Sends what may be lost: the last writer may have died within a line, and what comes next makes that a line which the
   * server refuses. Where there was none it is a message that nobody misses; an empty line would end servers.
   */
  #endHalfLine(): void {
    const params = { requestId: this.#calls.newId(), reason: 'Whoever asked is gone.' };
    this.notify('notifications/cancelled', params).catch(ignore);
  }

  async #forward(owner: CallOwner, request: rpc.Request): Promise<void> {
    const { id, method, params } = request;
    const meta = params?.['_meta'];
    const token = isObject(meta) ? meta['progressToken'] : undefined;
    const progressToken = rpc.isRequestId(token) ? token : undefined;
    const call = this.#calls.add({ owner, ownId: id, method, progressToken, subject: params?.['uri'] });
    if (call === null) {
      const error = {
        code: rpc.rpcErrors.invalidRequest,
        message: `The id ${JSON.stringify(id)} is in use by a call in flight.`,
      };
      queueMicrotask(() => owner.deliver(rpc.errorResponse(id, error)));
      return;
    }
    if (this.#isCounted(call)) this.#options.counter.begin();
    const sent =
      progressToken === undefined || !isObject(meta)
        ? params
        : { ...params, _meta: { ...meta, progressToken: call.upstreamId } };
    try {
      await this.#pipe.send({ jsonrpc: '2.0', id: call.upstreamId, method, params: sent });
    } catch (error) {
      // A call that is out of the table was told of the end already.
      if (this.#finish(call)) throw error;
    }
  }

  async #takeNotification(session: MuxSession, message: rpc.Notification): Promise<void> {
    const { method, params } = message;
    if (method === 'notifications/cancelled') {
      const id = params?.['requestId'];
      const call = rpc.isRequestId(id) ? this.#calls.findOwn(session, id) : undefined;
      if (call === undefined || !this.#finish(call)) return;
      await this.notify(method, { ...params, requestId: call.upstreamId });
      return;
    }
    // The server was told once that the client is ready, and has no roots of anybody nor requests of its own.
    const ours = ['notifications/initialized', 'notifications/roots/list_changed', 'notifications/progress'];
    if (!ours.includes(method)) await this.notify(method, params);
  }

  /** @returns whether anybody waited for it */
  #onResponse(response: rpc.Response): boolean {
    const call = this.#calls.find(response.id);
    if (call === undefined) {
      this.#unknownAnswers += 1;
      if (this.#unknownAnswers === 1)
        this.#options.logger.debug('dropped an answer of the server to a call that is not in flight');
      return false;
    }
    this.#finish(call);
    if (call.method === 'resources/subscribe' && response.error !== undefined) {
      this.#settings.unsubscribe(call.owner, String(call.subject));
    }
    const meta = response.result?.['_meta'];
    const result =
      call.method === 'subscriptions/listen' && isObject(meta)
        ? { ...response.result, _meta: { ...meta, [metaKeys.subscriptionId]: call.ownId } }
        : response.result;
    call.owner.deliver({ ...response, id: call.ownId, ...(result !== undefined && { result }) });
    return true;
  }

  #onServerRequest({ id, method }: rpc.Request): void {
    // In the modern era a client writes no answers to stdio, and servers send no requests.
    if (this.#greeting?.era === 'modern') return;
    if (typeof id === 'string' && id.length > limits.idLength) return;
    const answer =
      method === 'ping'
        ? rpc.resultResponse(id, {})
        : rpc.errorResponse(id, {
            code: rpc.rpcErrors.methodNotFound,
            message: `The clients share this server, so none can answer ${quote(method)}; no such capability was declared.`,
          });
    this.#pipe.answer(answer);
  }

  /** Cancels a call towards the server; whatever it still answers is dropped. */
  #cancel(call: PendingCall, reason: string): void {
    // The protocol forbids to cancel it, and its answer is needed by the next who asks.
    if (!this.#finish(call) || call.method === 'initialize') return;
    const params = { requestId: call.upstreamId, reason };
    this.notify('notifications/cancelled', this.#enveloped(params)).catch(ignore);
  }

  #tell(method: string, params: rpc.JSONObject): void {
    this.request(method, this.#enveloped(params)).catch(ignore);
  }

  #enveloped(params: rpc.JSONObject): rpc.JSONObject {
    const era: Era = this.#greeting?.era ?? 'legacy';
    return era === 'modern' ? withEnvelope(params, this.#options.identity) : params;
  }

  #finish(call: PendingCall): boolean {
    const removed = this.#calls.remove(call);
    if (removed && this.#isCounted(call)) this.#options.counter.end();
    return removed;
  }

  /** Only what clients call holds back a restart, not our own looks whether the server lives. */
  #isCounted(call: PendingCall): boolean {
    return call.owner instanceof MuxSession && isCall(call.method);
  }
}

function outcomeUnknown(reason: MCPInfraError): MCPInfraError {
  if (reason.code === 'MESSAGE_TOO_LARGE' || reason.code === 'SERVER_NOT_READING') return reason;
  return mcpError('OUTCOME_UNKNOWN', `The server went away while it ran the tool. ${reason.message}`, {
    cause: reason,
  });
}

function ignore(): void {
  // The channel ended: everybody whom it concerns is told by its end.
}
