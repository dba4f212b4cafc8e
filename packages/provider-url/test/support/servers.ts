import { fixtureServer } from '@mcpinfra/tools';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';

/** A server of its own process. */
export interface FixtureProcess {
  /** Where its endpoint is. */
  readonly url: URL;
  stop(): Promise<void>;
}

/** Starts the well-behaved MCP server. */
export async function spawnFixture(port = 0): Promise<FixtureProcess> {
  const child = spawn(process.execPath, [fixtureServer, '--http', '--port', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /^listening (.+)$/.exec(line)?.[1];
    if (url !== undefined) return { url: new URL(url), stop };
    said.push(line);
  }
  return expect.fail(`the fixture server did not listen on port ${port}: ${said.join(' ')}`);
}

/** Starts the well-behaved MCP server until the test is over; gives the URL of its endpoint. */
export async function startFixture(port = 0): Promise<URL> {
  const { url, stop } = await spawnFixture(port);
  onTestFinished(stop);
  return url;
}

/** A server of the test's own. */
export interface OwnServer {
  readonly url: URL;
  stop(): Promise<void>;
}

/** Serves until the test is over. */
export async function serve(listener: RequestListener, port = 0): Promise<OwnServer> {
  const server = createServer(listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  onTestFinished(stop);
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`), stop };
}

/** Stands before an MCP server: sees every request, and answers with a status of its own when told to. */
export async function serveBefore(
  target: URL,
  judge: (headers: IncomingHttpHeaders) => number | undefined = () => undefined,
): Promise<OwnServer & { readonly seen: readonly IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = await serve((incoming, response) => {
    seen.push(incoming.headers);
    const status = judge(incoming.headers);
    if (status !== undefined) {
      incoming.resume();
      response.writeHead(status).end();
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const onward = request(
      new URL(url, target),
      { method, headers: { ...headers, host: target.host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  return { ...server, seen };
}
