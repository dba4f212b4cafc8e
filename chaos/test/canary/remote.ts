import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { startExternalServer } from '@mcpinfra/tools';

/** Everything that is somebody else's: MCP servers, a token endpoint and a registry of images, which repeat what they are shown. */
export interface Remote {
  readonly origin: string;
  /** Where images are asked for: `127.0.0.1:port`. */
  readonly registry: string;
  /** All credentials that arrived, decoded. */
  readonly arrived: readonly string[];
  stop(): Promise<void>;
}

/** @param accessToken - what the token endpoint gives out */
export async function startRemote(accessToken: string): Promise<Remote> {
  const external = await startExternalServer();
  const arrived: string[] = [];
  const server = createServer((req, res) => {
    arrived.push(JSON.stringify(req.headers));
    void answer(req, res).catch(() => res.destroy());
  });
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { url = '', headers } = req;
    if (url.startsWith('/good/')) forward(req, res, new URL(url.slice('/good'.length), external.origin));
    else if (url === '/token') {
      const body = { access_token: accessToken, token_type: 'Bearer', expires_in: 600 };
      arrived.push(await text(req));
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else if (url.startsWith('/v2/') && headers.authorization === undefined) {
      res.writeHead(401, { 'www-authenticate': 'Basic realm="images"' }).end();
    } else {
      const shown = `${JSON.stringify(headers)} ${await text(req)}`;
      const errors = [{ code: 'DENIED', message: `denied for ${shown}` }];
      const body = { error: 'invalid_client', error_description: shown, errors };
      const status = url.startsWith('/v2/') ? 403 : url === '/broken-token' ? 400 : 500;
      res
        .writeHead(status, { 'content-type': 'application/json', 'x-shown': shown })
        .end(JSON.stringify(body));
    }
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registry = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    origin: `http://${registry}`,
    registry,
    arrived,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await external.stop();
    },
  };
}

function forward(req: IncomingMessage, res: ServerResponse, target: URL): void {
  const headers = { ...req.headers, host: target.host };
  const onward = request(target, { method: req.method, headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  res.on('close', () => onward.destroy());
  req.pipe(onward);
}
