import type { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError } from './send-error.js';

/** A request with its body, and where its answer goes. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly body: unknown;
}

/** Gives a request to the session it names, or to a new one where it may open one; answers it where there is neither. */
export async function toSession(
  sessions: ReadonlyMap<string, NodeStreamableHTTPServerTransport>,
  { req, res, body }: Exchange,
  open: (() => Promise<void>) | undefined,
): Promise<void> {
  const id = req.headers['mcp-session-id'];
  if (typeof id === 'string') {
    const session = sessions.get(id);
    if (session === undefined) sendError(res, 404, { code: -32_001, message: 'Session not found' });
    else await session.handleRequest(req, res, body);
  } else if (open === undefined) {
    sendError(res, 400, { code: -32_000, message: 'no Mcp-Session-Id: send initialize first' });
  } else {
    await open();
  }
}
