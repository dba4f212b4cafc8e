import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { PipedSessions } from './piped-sessions.js';

// As process 1 of a container it would otherwise ignore both signals.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

const allowed = (process.env['ALLOWED_DIRECTORIES'] ?? '').split(/[,:]/).filter((path) => path !== '');
if (allowed.length === 0) {
  process.stderr.write('ALLOWED_DIRECTORIES must name folders, separated by commas\n');
  process.exit(1);
}
// A folder that cannot be made is reported by the server itself.
for (const path of allowed) await mkdir(path, { recursive: true }).catch(() => {});

const sessions = new PipedSessions([process.execPath, ...process.argv.slice(2), ...allowed]);
const port = Number(process.env['MCP_CONTAINER_PORT'] ?? process.env['PORT'] ?? 8000);

createServer((req, res) => {
  const { pathname } = new URL(req.url ?? '/', 'http://front');
  if (pathname === '/health') res.writeHead(200).end('ok');
  else if (pathname !== '/mcp') res.writeHead(404).end();
  else
    sessions.handle(req, res).catch((cause: unknown) => {
      process.stderr.write(`request failed: ${String(cause)}\n`);
      res.destroy();
    });
}).listen(port, '0.0.0.0', () => process.stderr.write(`listening on port ${port}\n`));
