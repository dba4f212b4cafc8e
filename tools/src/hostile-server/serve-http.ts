import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Behaviour, Port, Receive } from './behaviour.js';
import { isRequest, parseMessages } from './message.js';
import { answerPolitely } from './polite-answer.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Listens, without sessions, and resolves with the URL of the MCP endpoint. */
export async function serveHttp(behaviour: Behaviour, { host, port }: Address): Promise<string> {
  const receive = behaviour.receive ?? answerPolitely;
  const server = createServer((req, res) => {
    if (behaviour.request !== undefined) behaviour.request(req, res);
    else if (req.method !== 'POST') res.writeHead(405, { allow: 'POST' }).end();
    else void answerPost(receive, req, res);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return `http://${host}:${(server.address() as AddressInfo).port}/mcp`;
}

async function answerPost(receive: Receive, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const messages = parseMessages(await text(req));
  const port = eventStream(res);
  await Promise.all(messages.map(async (message) => receive(message, port)));
  if (!res.headersSent) res.writeHead(messages.some(isRequest) ? 200 : 202);
  res.end();
}

/** An event stream that begins with its first byte, so that a server that hangs sends no header either. */
function eventStream(res: ServerResponse): Port {
  const raw = (bytes: string | Uint8Array) => {
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(bytes);
  };
  return { raw, send: (message) => raw(`data: ${JSON.stringify(message)}\n\n`) };
}
