import {
  hostHeaderValidation,
  originValidation,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, type McpHttpHandler } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFixtureServer } from '../create-fixture-server.js';
import { FixtureState } from '../fixture-state.js';
import { maxMessageBytes } from '../limits.js';
import type { FixtureOptions } from '../options.js';
import { LegacySessions } from './legacy-sessions.js';
import { readJsonBody } from './read-json-body.js';
import { sendError } from './send-error.js';

type HttpOptions = Extract<FixtureOptions, { transport: 'http' }>;
/** A request that a server received always has both. */
type ServerRequest = IncomingMessage & { method: string; url: string };
type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** Listens, and resolves with the URL of the MCP endpoint. */
export async function serveHttp(options: HttpOptions): Promise<string> {
  const handle = createHttpHandler(options);
  const server = createServer((req, res) => {
    handle(req, res).catch((cause: unknown) => {
      process.stderr.write(`request failed: ${String(cause)}\n`);
      res.destroy();
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return `http://${host}:${port}${options.path}`;
}

/** Answers `/health` and the MCP endpoint of one fixture server, whoever listens for it. */
export function createHttpHandler({
  era,
  path,
  allowedHosts,
}: Pick<HttpOptions, 'era' | 'path' | 'allowedHosts'>): Handler {
  const state = new FixtureState();
  const legacy = new LegacySessions(() => createFixtureServer(state, { era: 'legacy', perRequest: false }));
  const modern = createMcpHandler(() => createFixtureServer(state, { era: 'modern', perRequest: true }), {
    legacy: 'reject',
    maxRequestBodySize: maxMessageBytes,
  });
  publishChanges(state, modern);
  const serveModern = toNodeHandler(modern, { maxRequestBodySize: maxMessageBytes });
  const guards = [hostHeaderValidation, originValidation].map(
    (guard) => allowedHosts && guard([...allowedHosts]),
  );
  const isLegacy = async (req: ServerRequest, body: unknown) => {
    if (era !== 'both') return era === 'legacy';
    return req.method !== 'POST' || (await isLegacyRequest(await toWebRequest(req, body), body));
  };

  return async (message, res) => {
    const req = message as ServerRequest;
    const pathname = new URL(req.url, 'http://fixture').pathname;
    if (pathname === '/health') {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'ok' }));
      return;
    }
    if (pathname !== path) {
      sendError(res, 404, { code: -32_000, message: `not found: ${pathname}` });
      return;
    }
    if (!guards.every((guard) => guard?.(req, res) ?? true)) return;
    // Read once, here: the SDK's classifier and both of its servers then take the parsed body instead of the stream.
    const body = req.method === 'POST' ? await readJsonBody(req, res) : undefined;
    if (res.headersSent) return;
    await ((await isLegacy(req, body)) ? legacy.handle(req, res, body) : serveModern(req, res, body));
  };
}

/** Stateless requests leave no connection to follow, so their open `subscriptions/listen` streams hear of changes from here. */
function publishChanges(state: FixtureState, { notify }: McpHttpHandler): void {
  state.onChange((change) => {
    switch (change.kind) {
      case 'tool-added':
      case 'tool-toggled':
        notify.toolsChanged();
        return;
      case 'prompt-toggled':
        notify.promptsChanged();
        return;
      case 'resource-updated':
        notify.resourceUpdated(change.uri);
        return;
    }
  });
}
