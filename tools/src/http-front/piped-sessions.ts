import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { isInitializeRequest, type JSONRPCMessage } from '@modelcontextprotocol/server';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { readJsonBody } from '../fixture-server/http/read-json-body.js';
import { toSession } from '../fixture-server/http/to-session.js';

/** Streamable HTTP in front of a server that knows stdio alone: one process of it for each session. */
export class PipedSessions {
  readonly #sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  readonly #command: readonly [string, ...string[]];

  constructor(command: readonly [string, ...string[]]) {
    this.#command = command;
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = req.method === 'POST' ? await readJsonBody(req, res) : undefined;
    if (res.headersSent) return;
    const opens = isInitializeRequest(body);
    await toSession(
      this.#sessions,
      { req, res, body },
      opens ? () => this.#open().handleRequest(req, res, body) : undefined,
    );
  }

  #open(): NodeStreamableHTTPServerTransport {
    const [program, ...argv] = this.#command;
    const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.#sessions.set(id, transport),
    });
    transport.onmessage = (message) => void child.stdin.write(`${JSON.stringify(message)}\n`);
    transport.onclose = () => {
      if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
      child.kill('SIGKILL');
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      // What no open stream can carry is lost, as it is in any server of this transport.
      transport.send(JSON.parse(line) as JSONRPCMessage).catch(() => {});
    });
    child.stdin.on('error', () => {});
    child.on('exit', () => void transport.close());
    return transport;
  }
}
