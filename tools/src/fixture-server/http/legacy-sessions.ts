import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { isInitializeRequest, type McpServer } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MemoryEventStore } from './memory-event-store.js';
import { sendError } from './send-error.js';

/** The sessions of streamable HTTP up to 2025-11-25: one server each, from `initialize` to DELETE. */
export class LegacySessions {
  readonly #sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  readonly #createServer: () => McpServer;

  constructor(createServer: () => McpServer) {
    this.#createServer = createServer;
  }

  async handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    const id = req.headers['mcp-session-id'];
    if (typeof id === 'string') {
      const session = this.#sessions.get(id);
      if (session === undefined) sendError(res, 404, { code: -32_001, message: 'Session not found' });
      else await session.handleRequest(req, res, body);
    } else if ([body].flat().some(isInitializeRequest)) {
      await this.#open(req, res, body);
    } else {
      sendError(res, 400, { code: -32_000, message: 'no Mcp-Session-Id: send initialize first' });
    }
  }

  async #open(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    const server = this.#createServer();
    const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new MemoryEventStore(),
      retryInterval: 500,
      onsessioninitialized: (id) => void this.#sessions.set(id, transport),
      onsessionclosed: (id) => void this.#sessions.delete(id),
    });
    await server.connect(transport);
    await transport.handleRequest(req, res, body);
    // A refused `initialize` opened no session, and nobody else would close its server.
    if (transport.sessionId === undefined) await server.close();
  }
}
