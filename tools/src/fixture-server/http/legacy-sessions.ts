import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { isInitializeRequest, type McpServer } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MemoryEventStore } from './memory-event-store.js';
import { toSession } from './to-session.js';

/** The sessions of streamable HTTP up to 2025-11-25: one server each, from `initialize` to DELETE. */
export class LegacySessions {
  readonly #sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  readonly #createServer: () => McpServer;

  constructor(createServer: () => McpServer) {
    this.#createServer = createServer;
  }

  async handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    const opens = [body].flat().some(isInitializeRequest);
    await toSession(this.#sessions, { req, res, body }, opens ? () => this.#open(req, res, body) : undefined);
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
