import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { edge, ignoreError } from '../../async/edge.js';
import { Once } from '../../async/once.js';
import { isObject } from '../../domain/is-object.js';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import { type CallCounter, isCall } from '../call-counter.js';
import { isRequest, isRequestId, isResponse, type Message, type RequestId, rpcErrors } from '../json-rpc.js';
import { limits } from '../limits.js';
import { requestHeader } from './bounded-fetch.js';

/** What is watched on a client's transport. */
export interface TrackOptions {
  readonly counter: CallCounter;
  readonly onOther: (message: Message) => void;
  /** Why answers were given up, by the header of their requests. */
  readonly givenUp: Map<string, MCPInfraError>;
  /** What has to happen before the transport closes. Must not reject. */
  readonly beforeClose: () => Promise<void>;
}

/**
 * Watches a transport of the MCP client: counts the calls in flight, and fails those whose answer can come no more,
 * for which the client would wait until its time is over.
 */
export function trackTransport(
  transport: Transport,
  { counter, onOther, givenUp, beforeClose }: TrackOptions,
): Transport {
  guardHandlers(transport);
  let answersInFlight = 0;
  const inFlight = new Map<RequestId, string>();
  const finish = (id: RequestId): string | undefined => {
    const method = inFlight.get(id);
    if (inFlight.delete(id)) counter.end();
    givenUp.delete(keyOf(id));
    return method;
  };
  const lost = (id: RequestId): void => {
    const failure = givenUp.get(keyOf(id)) ?? givenUp.get('');
    const method = finish(id);
    if (method === undefined) return;
    const code = failure?.code ?? (method === 'tools/call' ? 'OUTCOME_UNKNOWN' : 'CONNECTION_CLOSED');
    const message = failure?.message ?? `The server ended its answer before the result of ${method} came.`;
    transport.onmessage?.({
      jsonrpc: '2.0',
      id,
      error: { code: rpcErrors.serverError, message, data: { code } },
    });
  };
  const { send, close } = { send: transport.send.bind(transport), close: transport.close.bind(transport) };
  const closing = new Once(async () => {
    await beforeClose();
    await close();
  });

  // The client calls these before its own.
  transport.onmessage = (received) => {
    const message = received as unknown as Message;
    if (isResponse(message)) finish(message.id);
    else onOther(message);
  };
  transport.onclose = () => {
    for (const id of [...inFlight.keys()]) {
      // The stream on which all answers come.
      if (givenUp.has('')) lost(id);
      else finish(id);
    }
  };
  transport.send = async (sent: JSONRPCMessage, options) => {
    const message = sent as unknown as Message;
    if (isResponse(message)) {
      // A server that asks and takes no answers gets no more of them.
      if (answersInFlight >= limits.answersInFlight) return;
      answersInFlight += 1;
      await send(sent, options).finally(() => (answersInFlight -= 1));
      return;
    }
    if (!isRequest(message)) {
      const cancelled =
        'method' in message && message.method === 'notifications/cancelled' ? message.params : undefined;
      if (isObject(cancelled) && isRequestId(cancelled['requestId'])) finish(cancelled['requestId']);
      return send(sent, options);
    }
    const { id, method } = message;
    const headers = { ...options?.headers, [requestHeader]: keyOf(id) };
    if (!isCall(method)) return send(sent, { ...options, headers });
    counter.begin();
    inFlight.set(id, method);
    options?.requestSignal?.addEventListener('abort', () => finish(id), { once: true });
    const onRequestStreamEnd = (): void => {
      options?.onRequestStreamEnd?.();
      lost(id);
    };
    try {
      await send(sent, { ...options, headers, onRequestStreamEnd });
    } catch (error) {
      finish(id);
      throw error;
    }
  };
  transport.close = () => closing.get();
  return transport;
}

function keyOf(id: RequestId): string {
  return encodeURIComponent(JSON.stringify(id));
}

/** What a client or its host throws in a handler is told to it, and goes no further. */
function guardHandlers(transport: Transport): void {
  const tell = (error: unknown): void => {
    transport.onerror?.(error instanceof Error ? error : new TypeError(messageOf(error)));
  };
  for (const name of ['onmessage', 'onclose', 'onerror'] as const) {
    type Handler = ((...args: readonly never[]) => void) | undefined;
    const before = transport[name];
    let handler: Handler;
    Object.defineProperty(transport, name, {
      configurable: true,
      enumerable: true,
      get: () => handler,
      set: (next: Handler) => {
        handler = next && edge(name === 'onerror' ? ignoreError : tell, next);
      },
    });
    transport[name] = before as never;
  }
}
