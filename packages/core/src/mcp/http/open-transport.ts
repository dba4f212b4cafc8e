import type { Transport } from '@modelcontextprotocol/client';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { CallCounter } from '../call-counter.js';
import type { Message } from '../json-rpc.js';
import { latestLegacyVersion } from '../protocol.js';
import { boundedFetch } from './bounded-fetch.js';
import { endSession } from './end-session.js';
import type { HTTPEndpoint } from './http-endpoint.js';
import { reconnectPauses } from './reconnect-pauses.js';
import { trackTransport } from './tracked-transport.js';

/** How transports for clients are made. */
export interface OpenTransportOptions {
  readonly endpoint: HTTPEndpoint;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counter: CallCounter;
  readonly onOther: (message: Message) => void;
}

/** Makes a transport of the MCP client over an endpoint; closing it ends the session at the server and nothing else. */
export async function openTransport(options: OpenTransportOptions): Promise<Transport> {
  const { endpoint, clock, logger, counter, onOther } = options;
  const { SseError, SSEClientTransport, StreamableHTTPClientTransport } =
    await import('@modelcontextprotocol/client');
  const { url } = endpoint;
  const givenUp = new Map<string, MCPInfraError>();
  const fetch = boundedFetch(endpoint.fetch, {
    clock,
    url: () => endpoint.url,
    onTooLarge: (request, error) => void givenUp.set(request, error),
  });
  const tracked = { counter, onOther, givenUp };
  if (endpoint.transport === 'sse') {
    let failure: unknown;
    const keepingFailure: typeof fetch = (...args) =>
      fetch(...args).catch((error: unknown) => {
        failure = error;
        throw error;
      });
    const transport = new SSEClientTransport(url, { fetch: keepingFailure });
    const start = transport.start.bind(transport);
    // Of why the stream could not be opened the transport tells the message only.
    transport.start = () =>
      start().catch((error: unknown) => {
        throw failure ?? error;
      });
    // The session is bound to its stream. The transport would open another, on which no answer comes.
    transport.onerror = (error) => {
      if (error instanceof SseError) void transport.close();
    };
    return trackTransport(transport, { ...tracked, beforeClose: async () => undefined });
  }
  const reconnectionScheduler = reconnectPauses(clock, (error) => {
    logger.debug('opening a stream again failed', { error: messageOf(error) });
  });
  const transport = new StreamableHTTPClientTransport(url, { fetch, reconnectionScheduler });
  const beforeClose = async (): Promise<void> => {
    const { sessionId, protocolVersion } = transport;
    if (sessionId === undefined) return;
    await endSession({ endpoint, clock }, { id: sessionId, version: protocolVersion ?? latestLegacyVersion });
  };
  return trackTransport(transport, { ...tracked, beforeClose });
}
