import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

// As process 1 of a container it would otherwise ignore both signals.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

const port = Number(process.env['MCP_CONTAINER_PORT'] ?? process.env['PORT'] ?? 8000);

/** Answers every request with what it said. */
async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { method, url, headers } = req;
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ method, url, headers, body: await text(req) }));
}

createServer((req, res) => {
  echo(req, res).catch(() => res.destroy());
}).listen(port, '0.0.0.0', () => process.stderr.write(`listening on port ${port}\n`));
