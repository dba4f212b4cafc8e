import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { isObject } from '../../domain/is-object.js';
import { type CallCounter, isCall } from '../call-counter.js';
import { isRequest, isRequestId, isResponse, type Message, type RequestId, rpcErrors } from '../json-rpc.js';

/** What is watched on a client's transport. */
export interface TrackOptions {
  readonly counter: CallCounter;
  readonly onOther: (message: Message) => void;
  /** What has to happen before the transport closes. Must not reject. */
  readonly beforeClose: () => Promise<void>;
}

/**
 * Watches a transport of the MCP client: counts the calls in flight, and fails those whose answer can come no more,
 * for which the client would wait until its time is over.
 */
export function trackTransport(
  transport: Transport,
  { counter, onOther, beforeClose }: TrackOptions,
): Transport {
  const inFlight = new Map<RequestId, string>();
  const finish = (id: RequestId): string | undefined => {
    const method = inFlight.get(id);
    if (inFlight.delete(id)) counter.end();
    return method;
  };
  const lost = (id: RequestId): void => {
    const method = finish(id);
    if (method === undefined) return;
    const code = method === 'tools/call' ? 'OUTCOME_UNKNOWN' : 'CONNECTION_CLOSED';
    const message = `The server ended its answer before the result of ${method} came.`;
    transport.onmessage?.({
      jsonrpc: '2.0',
      id,
      error: { code: rpcErrors.serverError, message, data: { code } },
    });
  };
  const { send, close } = { send: transport.send.bind(transport), close: transport.close.bind(transport) };
  let closing: Promise<void> | null = null;

  // The client calls these before its own.
  transport.onmessage = (received) => {
    const message = received as unknown as Message;
    if (isResponse(message)) finish(message.id);
    else onOther(message);
  };
  transport.onclose = () => {
    for (const id of [...inFlight.keys()]) finish(id);
  };
  transport.send = async (sent: JSONRPCMessage, options) => {
    const message = sent as unknown as Message;
    if (!isRequest(message)) {
      const cancelled =
        'method' in message && message.method === 'notifications/cancelled' ? message.params : undefined;
      if (isObject(cancelled) && isRequestId(cancelled['requestId'])) finish(cancelled['requestId']);
      return send(sent, options);
    }
    const { id, method } = message;
    if (!isCall(method)) return send(sent, options);
    counter.begin();
    inFlight.set(id, method);
    options?.requestSignal?.addEventListener('abort', () => finish(id), { once: true });
    const onRequestStreamEnd = (): void => {
      options?.onRequestStreamEnd?.();
      lost(id);
    };
    try {
      await send(sent, { ...options, onRequestStreamEnd });
    } catch (error) {
      finish(id);
      throw error;
    }
  };
  transport.close = () => (closing ??= beforeClose().then(close));
  return transport;
}
