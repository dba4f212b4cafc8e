import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTCPServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { Agent, type Dispatcher } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { HandshakeRecord } from '../domain/instance/instance-record.js';
import type { ProtocolEraChoice } from '../domain/json-spec/json-spec.js';
import type { MCPLink, ProbeRequest } from '../ports/mcp-link.js';
import type { Dialed } from '../ports/provider.js';
import { systemClock } from '../runtime/system-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { createMCPLinks } from './create-mcp-links.js';

const everything = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);
const probe: ProbeRequest = { check: { type: 'mcp' }, timeoutMs: 15_000, listTools: true };
const ping: ProbeRequest = { ...probe, listTools: false };
const hello = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } };

const children = new Set<ChildProcess>();
const servers = new Set<Server>();
const open = new Set<MCPLink>();
afterEach(async () => {
  await Promise.all([...open].map((link) => link.close()));
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  for (const set of [open, children, servers]) set.clear();
});

/** Starts a server that says on stderr where it listens. */
async function start(args: readonly string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  children.add(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const url = await vi.waitFor(() => /(?:listening|running) (?:on port )?(\S+)/.exec(said)![1]!, {
    timeout: 10_000,
  });
  return { child, url: new URL(url.startsWith('http') ? url : `http://127.0.0.1:${url}/mcp`) };
}

/** Serves in this process, and keeps what was asked. */
async function serve(
  listener: (request: IncomingMessage & { body: string }, ...rest: [Parameters<RequestListener>[1]]) => void,
) {
  const asked: {
    method: string;
    headers: IncomingMessage['headers'];
    path: string;
    rpc: string | undefined;
  }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const rpc = body.startsWith('{') ? (JSON.parse(body) as { method?: string }).method : undefined;
      asked.push({ method: request.method ?? '', headers: request.headers, path: request.url ?? '', rpc });
      listener(Object.assign(request, { body }), response);
    });
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { asked, server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`) };
}

interface Options {
  readonly era?: ProtocolEraChoice;
  readonly known?: HandshakeRecord;
  readonly headers?: () => Promise<Record<string, string>>;
  readonly dispatcher?: Dispatcher;
  readonly transport?: 'streamable-http' | 'sse';
  readonly callTimeoutMs?: number;
}

function linkTo(url: URL | (() => URL), options: Options = {}) {
  const {
    era = 'auto',
    known = null,
    headers = async () => ({}),
    dispatcher,
    transport = 'streamable-http',
  } = options;
  const dial = vi.fn(async (): Promise<Dialed> => ({
    kind: 'http',
    transport,
    url: typeof url === 'function' ? url() : url,
    headers,
    dispatcher,
  }));
  const link = createMCPLinks({ clock: systemClock, logger: recordingLogger() }).open({
    instanceId: 'x',
    revision: 1,
    protocolEra: era,
    callTimeoutMs: options.callTimeoutMs ?? 10_000,
    known,
    dial,
  });
  open.add(link);
  return Object.assign(link, { dial });
}

const text = (result: { readonly content: readonly unknown[] }) =>
  (result.content[0] as { text?: string }).text;
const knownAs = (era: 'legacy' | 'modern', at = new Date().toISOString()): HandshakeRecord => ({
  at,
  era,
  protocolVersion: '',
  serverName: '',
  serverVersion: '',
  tools: [],
});
const answer = (body: string, result: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: (JSON.parse(body) as { id: number }).id, result });

describe('a link over HTTP', () => {
  it.each([
    ['legacy', 'auto', 'legacy'],
    ['legacy', 'legacy', 'legacy'],
    ['modern', 'auto', 'modern'],
    ['modern', 'modern', 'modern'],
    ['both', 'auto', 'modern'],
    ['both', 'legacy', 'legacy'],
  ] as const)('probes, calls and connects to a %s server by %s', async (served, era, spoken) => {
    const { url } = await start([fixtureServer, '--http', '--era', served]);
    const link = linkTo(url, { era });
    const first = await link.probe(probe);
    expect(first).toMatchObject({ ok: true, unauthorized: false, handshake: { era: spoken } });
    if (!first.ok) return;
    expect(first.handshake?.tools.map(({ name }) => name)).toContain('echo');
    expect(await link.probe(ping)).toMatchObject({ ok: true, handshake: null });
    expect(text(await link.callTool({ name: 'echo', arguments: { text: 'hi' } }))).toBe('hi');
    const client = await link.connect();
    expect(client.getProtocolEra()).toBe(spoken);
    expect((await client.listTools()).tools).toHaveLength(first.handshake?.tools.length ?? -1);
    await client.close();
    expect(text(await link.callTool({ name: 'echo', arguments: { text: 'again' } }))).toBe('again');
    expect(link.callsInFlight).toBe(0);
  });

  it.each([
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as const)('says so when a server is pinned to %s but speaks %s', async (era, served) => {
    const { url } = await start([fixtureServer, '--http', '--era', served]);
    expect(await linkTo(url, { era }).probe(probe)).toMatchObject({ ok: false, code: 'ERA_MISMATCH' });
  });

  it.each([
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as const)('decides anew when the known era %s stops working', async (era, served) => {
    const { url } = await start([fixtureServer, '--http', '--era', served]);
    const known = knownAs(era);
    expect(await linkTo(url, { known }).probe(probe)).toMatchObject({ ok: true, handshake: { era: served } });
    const client = await linkTo(url, { known }).connect();
    expect(client.getProtocolEra()).toBe(served);
  });

  it('asks again after a day whether a legacy server has learnt', async () => {
    const { url } = await start([fixtureServer, '--http', '--era', 'both']);
    expect(await linkTo(url, { known: knownAs('legacy') }).probe(probe)).toMatchObject({
      handshake: { era: 'legacy' },
    });
    const old = knownAs('legacy', '2026-01-01T00:00:00.000Z');
    expect(await linkTo(url, { known: old }).probe(probe)).toMatchObject({ handshake: { era: 'modern' } });
  });

  it('greets anew when the server forgot its session, in the way of server-everything too', async () => {
    const port = await freePort();
    const first = await start([everything, 'streamableHttp'], { PORT: String(port) });
    const link = linkTo(first.url, { era: 'legacy' });
    expect(await link.probe(probe)).toMatchObject({
      ok: true,
      handshake: { tools: expect.any(Array) as unknown },
    });
    expect(text(await link.callTool({ name: 'echo', arguments: { message: 'one' } }))).toContain('one');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    expect(await link.probe(ping)).toMatchObject({ ok: false, code: 'CONNECTION_REFUSED' });
    await start([everything, 'streamableHttp'], { PORT: String(port) });
    expect(await link.probe(ping)).toMatchObject({ ok: true, handshake: { era: 'legacy' } });
    expect(await link.probe(ping)).toMatchObject({ ok: true, handshake: null });
    expect(text(await link.callTool({ name: 'echo', arguments: { message: 'two' } }))).toContain('two');
  });

  it('keeps one session for its probes and ends it when it closes', async () => {
    const { url, asked } = await serve((request, response) => {
      if (request.method === 'DELETE') return void response.writeHead(204).end();
      const { method } = JSON.parse(request.body) as { method: string };
      if (method === 'notifications/initialized') return void response.writeHead(202).end();
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' });
      response.end(answer(request.body, method === 'initialize' ? hello : {}));
    });
    const link = linkTo(url, { era: 'legacy' });
    for (let n = 0; n < 3; n += 1) expect(await link.probe(ping)).toMatchObject({ ok: true });
    await link.close();
    await link.close();
    const seen = asked.map(({ method, rpc }) => rpc ?? method);
    expect(seen).toEqual(['initialize', 'notifications/initialized', 'ping', 'ping', 'DELETE']);
    for (const { headers } of asked.slice(1)) {
      expect(headers).toMatchObject({ 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' });
    }
  });

  it('ends the session of a client with the client, and nothing else', async () => {
    const { url } = await start([fixtureServer, '--http', '--era', 'legacy']);
    const link = linkTo(url, { era: 'legacy' });
    const [one, other] = [await link.connect(), await link.connect()];
    const { transport } = one;
    await one.close();
    expect(transport?.sessionId).toBeDefined();
    const gone = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': transport?.sessionId ?? '',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    });
    expect(gone.status).toBe(404);
    expect(await other.ping()).toEqual({});
  });

  it('sends the headers and the Host of the provider with every request', async () => {
    const { url, asked } = await serve((request, response) => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { method } = JSON.parse(request.body) as { method: string };
      if (method === 'notifications/initialized') return void response.writeHead(202).end();
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' });
      response.end(answer(request.body, method === 'initialize' ? hello : { content: [] }));
    });
    const headers = async () => ({ Authorization: 'Bearer t', Host: 'inner.example:1' });
    const link = linkTo(url, { era: 'legacy', headers });
    await link.probe(ping);
    await link.probe({ ...ping, check: { path: '/health' } });
    await link.callTool({ name: 'a', arguments: {} });
    await link.close();
    expect(asked.length).toBeGreaterThan(6);
    for (const one of asked)
      expect(one.headers).toMatchObject({ authorization: 'Bearer t', host: 'inner.example:1' });
  });

  it('counts calls in flight and hears every chunk', async () => {
    const { url } = await start([fixtureServer, '--http', '--era', 'legacy']);
    const link = linkTo(url);
    const call = link.callTool({ name: 'sleep', arguments: { ms: 300 } });
    await vi.waitFor(() => expect(link.callsInFlight).toBe(1), { timeout: 5_000 });
    const before = link.lastByteMs;
    await link.drained();
    expect(link.callsInFlight).toBe(0);
    expect(link.lastByteMs).toBeGreaterThan(before);
    await call;
  });

  it.each(['legacy', 'modern'] as const)('cancels a call at a %s server', async (era) => {
    const { url } = await start([fixtureServer, '--http', '--era', era]);
    const link = linkTo(url);
    const client = await link.connect();
    const abort = new AbortController();
    const running = vi.fn();
    const params = { name: 'sleep', arguments: { ms: 60_000 } };
    const call = client.callTool(params, { signal: abort.signal, onprogress: running });
    const outcome = expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(running).toHaveBeenCalled(), { timeout: 5_000 });
    expect(link.callsInFlight).toBe(1);
    abort.abort();
    await outcome;
    await vi.waitFor(async () => {
      expect(text(await link.callTool({ name: 'cancellations', arguments: {} }))).toBe('1');
    });
    expect(link.callsInFlight).toBe(0);
  });

  it.each(['legacy', 'modern'] as const)('tells that the tools of a %s server changed', async (era) => {
    const { url } = await start([fixtureServer, '--http', '--era', era]);
    const link = linkTo(url);
    const changed = vi.fn();
    link.onToolsChanged(changed);
    await vi.waitFor(
      async () => {
        await link.callTool({ name: 'list_changed', arguments: {} });
        expect(changed).toHaveBeenCalled();
      },
      { timeout: 10_000, interval: 200 },
    );
  });

  it.each(['legacy', 'modern'] as const)(
    'says that the outcome is unknown when a %s server dies',
    async (era) => {
      const { url, child } = await start([fixtureServer, '--http', '--era', era]);
      const link = linkTo(url);
      const call = link.callTool({ name: 'crash', arguments: { code: 1 } });
      await expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
      expect(link.callsInFlight).toBe(0);
      if (child.exitCode === null) await once(child, 'exit');
      await expect(link.callTool({ name: 'pid', arguments: {} })).rejects.toMatchObject({
        code: 'CONNECTION_REFUSED',
      });
    },
  );

  it('does not wait for an answer whose stream ended without it', async () => {
    const { url } = await serve((request, response) => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { method } = JSON.parse(request.body) as { method: string };
      if (method === 'notifications/initialized') return void response.writeHead(202).end();
      if (method === 'tools/call')
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': \n\n');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(answer(request.body, hello));
    });
    const call = linkTo(url, { era: 'legacy' }).callTool({ name: 'a', arguments: {} });
    await expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  it('ends calls in flight with an unknown outcome when it is closed', async () => {
    const { url } = await start([fixtureServer, '--http', '--era', 'legacy']);
    const link = linkTo(url);
    const call = link.callTool({ name: 'sleep', arguments: { ms: 60_000 } });
    await vi.waitFor(() => expect(link.callsInFlight).toBe(1), { timeout: 5_000 });
    const [ended] = await Promise.allSettled([call, link.close()]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'OUTCOME_UNKNOWN' } });
    expect(await link.probe(ping)).toMatchObject({ ok: false, code: 'CONNECTION_CLOSED' });
  });

  it('follows a redirect within the origin and remembers it, and none to another', async () => {
    const { url, asked } = await serve((request, response) => {
      if (request.url === '/mcp') return void response.writeHead(307, { location: '/mcp/' }).end();
      const { method } = JSON.parse(request.body || '{}') as { method?: string };
      if (method !== 'initialize') return void response.writeHead(202).end();
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer(request.body, hello));
    });
    expect(await linkTo(url, { era: 'legacy' }).probe(ping)).toMatchObject({ ok: true });
    expect(asked.map(({ path }) => path)).toEqual(['/mcp', '/mcp/', '/mcp/']);
    const elsewhere = await start([hostileServer, 'http-redirect', '--http', '--url', url.href]);
    expect(await linkTo(elsewhere.url).probe(ping)).toMatchObject({ ok: false, code: 'REDIRECT_REFUSED' });
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['garbage', []],
    ['batch', []],
    ['reuse-ids', []],
    ['no-tools', []],
  ])('copes with a server that does %s', async (behaviour, args) => {
    const { url } = await start([hostileServer, behaviour, '--http', ...args]);
    const link = linkTo(url);
    expect(await link.probe(probe)).toMatchObject({ ok: true });
    expect(await link.probe(ping)).toMatchObject({ ok: true });
    await link.close();
  });

  it.each([
    ['http-500', 'HTTP_STATUS', '500'],
    ['http-html', 'PROTOCOL_ERROR', '<'],
    ['http-hang', 'REQUEST_TIMEOUT', 'within 1 s (during the mcp check)'],
    ['hang-on-start', 'REQUEST_TIMEOUT', 'within 1 s'],
    ['wrong-version', 'PROTOCOL_ERROR', '1999-12-31'],
  ] as const)('reports a server that does %s', async (behaviour, code, message) => {
    const { url } = await start([hostileServer, behaviour, '--http']);
    const link = linkTo(url, { callTimeoutMs: 1_000 });
    const report = await link.probe({ ...probe, timeoutMs: 1_000 });
    expect(report).toMatchObject({ ok: false, code, message: expect.stringContaining(message) as string });
    await expect(link.callTool({ name: 'echo', arguments: {} })).rejects.toMatchObject({ code });
  });

  it('takes a server that refuses the credentials for alive', async () => {
    const { url } = await start([hostileServer, 'http-401', '--http']);
    for (const era of ['auto', 'legacy', 'modern'] as const) {
      const link = linkTo(url, { era });
      expect(await link.probe(probe)).toMatchObject({ ok: true, unauthorized: true, handshake: null });
      await expect(link.connect()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await expect(link.callTool({ name: 'echo', arguments: {} })).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      });
    }
  });

  it('does not take credentials that cannot be made for an answer of the server', async () => {
    const headers = () => Promise.reject(mcpError('UNAUTHORIZED', 'The token endpoint refused.'));
    const link = linkTo(new URL('http://127.0.0.1:9/mcp'), { headers });
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'UNAUTHORIZED' });
  });

  it('says that nothing listens, and dials anew each time since the server may be elsewhere by then', async () => {
    const gone = new URL(`http://127.0.0.1:${await freePort()}/mcp`);
    const { url } = await start([fixtureServer, '--http']);
    const urls = [gone, gone, gone];
    const link = linkTo(() => urls.shift() ?? url);
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'CONNECTION_REFUSED' });
    await expect(link.connect()).rejects.toMatchObject({ code: 'CONNECTION_REFUSED' });
    await expect(link.callTool({ name: 'pid', arguments: {} })).rejects.toMatchObject({
      code: 'CONNECTION_REFUSED',
    });
    expect(await link.probe(probe)).toMatchObject({ ok: true });
    expect(link.dial).toHaveBeenCalledTimes(4);
  });

  it('says that a server speaks no HTTP', async () => {
    const server = createTCPServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-hello\r\n'));
    servers.add(server as unknown as Server);
    Object.assign(server, { closeAllConnections: () => undefined });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    expect(await linkTo(url).probe(probe)).toMatchObject({ ok: false, code: 'PROTOCOL_ERROR' });
    expect(await linkTo(url).probe({ ...probe, check: { type: 'tcp' } })).toMatchObject({ ok: true });
  });

  it('asks once more when a kept connection turns out to be closed', async () => {
    let asked = 0;
    const { url } = await serve((request, response) => {
      asked += 1;
      if (asked === 1) return void request.socket.destroy();
      response.writeHead(200, { 'content-type': 'application/json' });
      const discover = { supportedVersions: ['2026-07-28'], capabilities: {} };
      response.end(answer(request.body, discover));
    });
    expect(await linkTo(url, { era: 'modern' }).probe(ping)).toMatchObject({
      ok: true,
      handshake: { serverName: '' },
    });
    expect(asked).toBe(2);
  });

  it('says which versions a modern server supports when it is none of ours', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(answer(request.body, { supportedVersions: ['2030-01-01'], capabilities: {} }));
    });
    const report = await linkTo(url).probe(ping);
    expect(report).toMatchObject({
      ok: false,
      code: 'PROTOCOL_ERROR',
      message: expect.stringContaining('2030-01-01') as string,
    });
  });

  it('reads an error without an id as the answer, which may tell the era', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32020, message: 'Header mismatch' } }),
      );
    });
    expect(await linkTo(url, { era: 'legacy' }).probe(ping)).toMatchObject({
      ok: false,
      code: 'ERA_MISMATCH',
    });
    expect(await linkTo(url).probe(ping)).toMatchObject({
      ok: false,
      code: 'PROTOCOL_ERROR',
      message: expect.stringContaining('Header mismatch') as string,
    });
  });

  it('lists tools over all pages, and stops at a server that pages without end', async () => {
    let pages = 0;
    const { url } = await serve((request, response) => {
      const { method } = JSON.parse(request.body) as { method: string };
      response.writeHead(200, { 'content-type': 'application/json' });
      if (method !== 'tools/list') {
        return void response.end(
          answer(request.body, { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }),
        );
      }
      pages += 1;
      const tools = [{ name: `t${pages}`, inputSchema: { type: 'object' } }, { bad: true }];
      response.end(answer(request.body, { tools, nextCursor: String(pages) }));
    });
    const report = await linkTo(url).probe(probe);
    expect(pages).toBe(64);
    expect(report).toMatchObject({
      ok: true,
      handshake: { tools: { length: 64 }, note: expect.stringContaining('more than 64 pages') as string },
    });
  });

  it('cuts a stream that stays open after the answer', async () => {
    const cut = vi.fn();
    const { url } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const result = answer(request.body, { supportedVersions: ['2026-07-28'], capabilities: {} });
      response.write(`event: message\r\ndata: ${result}\r\n\r\n`);
      response.on('close', cut);
    });
    expect(await linkTo(url).probe(ping)).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(cut).toHaveBeenCalled(), { timeout: 5_000 });
  });

  it('ends a request whose time is over', async () => {
    const ended = vi.fn();
    const { url } = await serve((_, response) => void response.on('close', ended));
    expect(await linkTo(url).probe({ ...ping, timeoutMs: 100 })).toMatchObject({
      ok: false,
      code: 'REQUEST_TIMEOUT',
    });
    await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  });

  describe('with a health check over HTTP', () => {
    const check = (path: string) => ({ ...ping, check: { path } });

    it('resolves a path with a leading slash against the origin and any other under the endpoint', async () => {
      const { url, asked } = await serve((_, response) => void response.writeHead(204).end());
      const link = linkTo(url);
      for (const path of ['/health', 'health', '/a?b=c'])
        expect(await link.probe(check(path))).toMatchObject({ ok: true });
      expect(await link.probe({ ...ping, check: { type: 'http' } })).toMatchObject({ ok: true });
      expect(asked.map(({ path }) => path)).toEqual(['/health', '/mcp/health', '/a?b=c', '/mcp']);
      expect(await link.probe(check('//169.254.169.254/x'))).toMatchObject({
        ok: false,
        code: 'INVALID_ARGUMENT',
      });
    });

    it.each([
      [204, { ok: true, unauthorized: false }],
      [401, { ok: true, unauthorized: true }],
      [403, { ok: true, unauthorized: true }],
      [302, { ok: false, code: 'HTTP_STATUS' }],
      [404, { ok: false, code: 'HTTP_STATUS' }],
      [503, { ok: false, code: 'HTTP_STATUS' }],
    ])('judges the status %i', async (status, expected) => {
      const { url } = await serve(
        (_, response) => void response.writeHead(status, { location: '/ok' }).end('x'),
      );
      expect(await linkTo(url).probe(check('/health'))).toMatchObject(expected);
    });

    it('does not wait for a stream of events to end', async () => {
      const { url } = await serve((_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': hello\n\n');
      });
      expect(await linkTo(url).probe(check('/mcp'))).toMatchObject({ ok: true });
    });
  });

  describe('with a health check over TCP', () => {
    const tcp = { ...ping, check: { type: 'tcp' } } as const;

    it('connects, and no more', async () => {
      const { url, asked } = await serve((_, response) => void response.end());
      expect(await linkTo(url).probe(tcp)).toMatchObject({ ok: true });
      expect(asked).toEqual([]);
      const gone = new URL(`http://127.0.0.1:${await freePort()}/`);
      expect(await linkTo(gone).probe(tcp)).toMatchObject({ ok: false, code: 'CONNECTION_REFUSED' });
    });

    it('connects by the rules of the provider where it has some', async () => {
      const { url } = await serve((_, response) => void response.writeHead(500).end());
      const dispatcher = new Agent();
      const dispatched = vi.spyOn(dispatcher, 'dispatch');
      expect(await linkTo(url, { dispatcher }).probe(tcp)).toMatchObject({ ok: true });
      expect(dispatched).toHaveBeenCalledOnce();
      const refusal = mcpError('INVALID_SPEC', 'The address is private.');
      const guarded = new Agent({ connect: (_, done) => done(refusal, null) });
      for (const check of [{ type: 'tcp' }, { type: 'mcp' }, { path: '/' }] as const) {
        expect(await linkTo(url, { dispatcher: guarded }).probe({ ...ping, check })).toMatchObject({
          ok: false,
          code: 'INVALID_SPEC',
          message: 'The address is private.',
        });
      }
      await expect(linkTo(url, { dispatcher: guarded, era: 'legacy' }).connect()).rejects.toBe(refusal);
      await Promise.all([dispatcher.destroy(), guarded.destroy()]);
    });
  });

  describe('by the older transport with server-sent events', () => {
    it('probes, calls and connects', async () => {
      const port = await freePort();
      const { url, child } = await start([everything, 'sse'], { PORT: String(port) });
      const link = linkTo(new URL('/sse', url), { transport: 'sse' });
      const first = await link.probe(probe);
      expect(first).toMatchObject({ ok: true, handshake: { era: 'legacy' } });
      expect(await link.probe(ping)).toMatchObject({ ok: true, handshake: null });
      expect(text(await link.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toContain('hi');
      const call = link.callTool({
        name: 'trigger-long-running-operation',
        arguments: { duration: 30, steps: 1 },
      });
      await vi.waitFor(() => expect(link.callsInFlight).toBe(1));
      child.kill('SIGKILL');
      await expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
      expect(link.callsInFlight).toBe(0);
      await vi.waitFor(async () => {
        expect(await link.probe(ping)).toMatchObject({ ok: false, code: 'CONNECTION_REFUSED' });
      });
    });

    it('gives up a server that never says where to post', async () => {
      const closed = vi.fn();
      const { url } = await serve((_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        response.on('close', closed);
      });
      const report = await linkTo(url, { transport: 'sse' }).probe({ ...ping, timeoutMs: 200 });
      expect(report).toMatchObject({ ok: false, code: 'REQUEST_TIMEOUT' });
      await vi.waitFor(() => expect(closed).toHaveBeenCalled());
    });

    it.each([
      [401, { ok: true, unauthorized: true }],
      [500, { ok: false, code: 'HTTP_STATUS' }],
    ])('judges the status %i', async (status, expected) => {
      const { url } = await serve((_, response) => void response.writeHead(status).end());
      expect(await linkTo(url, { transport: 'sse' }).probe(ping)).toMatchObject(expected);
    });
  });
});

async function freePort(): Promise<number> {
  const server = createTCPServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
