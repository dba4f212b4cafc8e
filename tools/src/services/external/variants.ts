import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { externalCredentials, readBasic } from './credentials.js';
import type { TokenEndpoint } from './token-endpoint.js';

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
  readonly tokens: TokenEndpoint;
}

/** Answers by itself, or returns true to have the MCP server answer. */
type Variant = (exchange: Exchange) => boolean | Promise<boolean>;

const { token, username, password, headerName, headerValue } = externalCredentials;

/** What stands between a client and the MCP server, by the first segment of the path. */
export const variants: Readonly<Record<string, Variant>> = {
  '500': ({ res }) => refuse(res, 500, 'text/plain', 'out of order'),
  html: ({ res }) => refuse(res, 200, 'text/html', '<!doctype html><title>Sign in</title>'),
  slow: async ({ url }) => {
    await sleep(Number(url.searchParams.get('ms') ?? 60_000), undefined, { ref: false });
    return true;
  },
  redirect: ({ res, url }) => {
    res.writeHead(307, { location: url.searchParams.get('to') ?? 'http://10.0.0.1/mcp' }).end();
    return false;
  },
  '401': (exchange) => challenge(exchange, false),
  bearer: (exchange) => challenge(exchange, exchange.req.headers.authorization === `Bearer ${token}`),
  oauth: (exchange) => challenge(exchange, exchange.tokens.accepts(exchange.req.headers.authorization)),
  basic: ({ req, res }) => {
    const [name, secret] = readBasic(req.headers.authorization) ?? [];
    if (name === username && secret === password) return true;
    res.setHeader('www-authenticate', 'Basic realm="external"');
    return refuse(res, 401, 'text/plain', 'unauthorized');
  },
  header: ({ req, res }) => {
    return req.headers[headerName] === headerValue || refuse(res, 403, 'text/plain', 'forbidden');
  },
};

function challenge({ res, url }: Exchange, isAuthorized: boolean): boolean {
  if (isAuthorized) return true;
  const metadata = `${url.origin}/.well-known/oauth-protected-resource`;
  res.setHeader('www-authenticate', `Bearer error="invalid_token", resource_metadata="${metadata}"`);
  return refuse(res, 401, 'application/json', '{"error":"invalid_token"}');
}

function refuse(res: ServerResponse, status: number, type: string, body: string): false {
  res.writeHead(status, { 'content-type': type }).end(body);
  return false;
}
