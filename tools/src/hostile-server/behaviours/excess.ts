import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import type { Behaviour } from '../behaviour.js';
import { isCall, isRequest, type Message, parseMessages, type Request } from '../message.js';
import type { HostileOptions } from '../options.js';
import { answerPolitely, politeAnswer, success } from '../polite-answer.js';

const megabyte = 1 << 20;

/** Its client must not take it for dead at once, so it reads the greeting. */
export function neverRead({ after = 2 }: HostileOptions): Behaviour {
  const pings = `${JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' })}\n`.repeat(1_000);
  let answered = 0;
  const ask = (): void => {
    process.stdout.write(pings);
    setImmediate(ask);
  };
  return {
    receive(message, port) {
      answerPolitely(message, port);
      if (!isRequest(message)) return;
      answered += 1;
      if (answered !== after) return;
      process.stdin.pause();
      ask();
    },
  };
}

export function flood(): Behaviour {
  const params = { level: 'info', data: 'nobody asked' };
  const news = `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n`;
  const tell = (): void => {
    process.stdout.write(news.repeat(1_000));
    // In between it reads.
    setImmediate(tell);
  };
  return { opened: tell };
}

export function endlessLists(): Behaviour {
  let pages = 0;
  return {
    receive(message, port) {
      const answer = politeAnswer(message);
      if (answer === undefined) return;
      if (message.method === 'tools/list') {
        pages += 1;
        port.send({ ...answer, result: { ...(answer.result as object), nextCursor: String(pages) } });
      } else port.send(answer);
    },
  };
}

export function hugeList({ bytes = 16 * megabyte }: HostileOptions): Behaviour {
  const description = 'x'.repeat(1_000);
  const tools = Array.from({ length: Math.ceil(bytes / description.length) }, (_, at) => ({
    name: `tool-${at}`,
    description,
    inputSchema: { type: 'object' },
  }));
  return {
    receive(message, port) {
      if (isRequest(message) && message.method === 'tools/list') port.send(success(message, { tools }));
      else answerPolitely(message, port);
    },
  };
}

export function gzipBomb({ bytes = 800 * megabyte }: HostileOptions): Behaviour {
  return {
    request: (req, res) => {
      void answerJSON(req, res, (call) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
        const gzip = createGzip();
        gzip.pipe(res);
        gzip.write(`{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":{"text":"`);
        const block = Buffer.alloc(megabyte, 'x');
        let written = 0;
        const pour = (): void => {
          while (written < bytes) {
            written += block.length;
            if (!gzip.write(block)) return;
          }
          gzip.end('"}}');
        };
        gzip.on('drain', pour);
        pour();
      });
    },
  };
}

/** A stream that ends as soon as it is opened, and asks to be opened again at once. */
export function retry0(): Behaviour {
  let opened = 0;
  return {
    request: (req, res) => {
      if (req.method === 'GET') {
        opened += 1;
        process.stderr.write(`opened ${opened}\n`);
        res.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 0\nid: 1\ndata:\n\n');
      } else void answerJSON(req, res, answerAsJSON(res));
    },
  };
}

async function answerJSON(
  req: IncomingMessage,
  res: ServerResponse,
  onCall: (call: Request) => void,
): Promise<void> {
  const [message] = parseMessages(await text(req));
  if (message === undefined) res.writeHead(405).end();
  else if (isCall(message)) onCall(message);
  else answerAsJSON(res)(message);
}

function answerAsJSON(res: ServerResponse): (message: Message) => void {
  return (message) => {
    const answer = politeAnswer(message);
    if (answer === undefined) res.writeHead(202).end();
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };
}
