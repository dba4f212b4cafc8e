import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpHandler } from '../fixture-server/http/serve-http.js';
import { TokenEndpoint } from './external/token-endpoint.js';
import { variants } from './external/variants.js';

export interface ExternalServerOptions {
  /** @defaultValue 0, a free one */
  readonly port?: number;
  /** How long a token of `/oauth/token` is accepted. @defaultValue 60000 */
  readonly tokenLifetimeMs?: number;
}

/** One request that an external server received. */
export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** An MCP server as somebody else's: reached by URL, behind whatever stands in front of it. */
export interface ExternalServer {
  /** `http://127.0.0.1:port`, with `/mcp`, `/health` and the paths of the variants. */
  readonly origin: string;
  readonly port: number;
  /** Everything received so far, in order. */
  readonly requests: readonly ReceivedRequest[];
  /** The bodies of the requests to `/oauth/token`, refused ones too. */
  readonly tokenRequests: readonly Readonly<Record<string, string>>[];
  /** Makes every token given out so far worth nothing. */
  revokeTokens(): void;
  /** Closes all connections; its port then refuses. */
  stop(): Promise<void>;
}

/**
 * Starts the fixture server behind paths that fail or insist on credentials.
 *
 * `/<variant>/mcp` and `/<variant>/health` pass through a variant: `500`, `html`, `slow` (`?ms=`), `redirect` (`?to=`),
 * `401`, `bearer`, `basic`, `header`, `oauth`. What they accept is `externalCredentials`.
 */
export async function startExternalServer({
  port = 0,
  tokenLifetimeMs = 60_000,
}: ExternalServerOptions = {}): Promise<ExternalServer> {
  const tokens = new TokenEndpoint(tokenLifetimeMs);
  const requests: ReceivedRequest[] = [];
  const handle = createRouter(tokens);
  const server = createServer((req, res) => {
    requests.push({ method: req.method ?? '', path: req.url ?? '', headers: req.headers });
    handle(req, res).catch(() => res.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    tokenRequests: tokens.requests,
    revokeTokens: () => tokens.revokeAll(),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function createRouter(tokens: TokenEndpoint): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const serve = createHttpHandler({ era: 'both', path: '/mcp', allowedHosts: undefined });
  return async (req, res) => {
    const url = new URL(req.url ?? '/', `http://${req.headers.host ?? 'external'}`);
    const metadata = metadataAt(url);
    if (metadata !== undefined) {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
      return;
    }
    if (url.pathname === '/oauth/token') {
      await tokens.handle(req, res);
      return;
    }
    const [, name = '', rest] = /^\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    const variant = variants[name];
    if (variant !== undefined) {
      if (!(await variant({ req, res, url, tokens }))) return;
      req.url = `${rest ?? ''}${url.search}`;
    }
    // Where a health path is appended to the endpoint.
    if (req.url === '/mcp/health') req.url = '/health';
    await serve(req, res);
  };
}

/** Source: RFC 9728 and RFC 8414. */
function metadataAt({ origin, pathname }: URL): object | undefined {
  switch (pathname) {
    case '/.well-known/oauth-protected-resource':
      return { resource: origin, authorization_servers: [origin] };
    case '/.well-known/oauth-authorization-server':
      return {
        issuer: origin,
        token_endpoint: `${origin}/oauth/token`,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        response_types_supported: [],
      };
    default:
      return undefined;
  }
}
