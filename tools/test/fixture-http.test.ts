import { request } from 'node:http';
import { expect, test } from 'vitest';
import { fixtureServer } from '../src/index.js';
import { callText, connectHttp, createClient } from './support/clients.js';
import { eventually } from './support/eventually.js';
import { ServerProcess } from './support/server-process.js';

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1.0.0' } },
};

test('health is told at its own path', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http', '--path', '/other']).url();

  const health = await fetch(new URL('/health', url));
  const nowhere = await fetch(new URL('/mcp', url));

  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  expect(nowhere.status).toBe(404);
  expect(url).toMatch(/\/other$/);
});

test('both eras and all sessions share one process', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http']).url();
  const clients = [createClient('legacy'), createClient('legacy'), createClient('modern')];
  for (const client of clients) await connectHttp(client, url);

  const counts = [];
  for (const client of clients) counts.push(await callText(client, 'counter'));

  expect(counts).toEqual(['1', '2', '3']);
});

test('a session ends with DELETE, and an unknown one is not found', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http']).url();
  const session = await open(url);

  expect((await post(url, session, { id: 2, method: 'ping' })).status).toBe(200);
  expect((await fetch(url, { method: 'DELETE', headers: { 'mcp-session-id': session } })).status).toBe(200);
  expect((await post(url, session, { id: 3, method: 'ping' })).status).toBe(404);
  expect((await post(url, 'made-up', { id: 4, method: 'ping' })).status).toBe(404);
  expect((await post(url, undefined, { id: 5, method: 'ping' })).status).toBe(400);
});

test('a lost stream goes on after its last event, and the call behind it was not cancelled', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http']).url();
  const session = await open(url);
  const lost = new AbortController();
  const response = await post(url, session, {
    id: 2,
    method: 'tools/call',
    params: { name: 'sleep', arguments: { ms: 100 } },
    signal: lost.signal,
  });
  const first = await read(response, /^id: (\S+)$/m);
  lost.abort();

  const resume = () =>
    fetch(url, {
      headers: { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': first },
    });

  // Until the server has seen the old connection close it answers 409.
  let resumed = await resume();
  await expect
    .poll(async () => (resumed.status === 409 ? (resumed = await resume()) : resumed).status, eventually)
    .toBe(200);
  expect(await read(resumed, /(slept 100 ms)/)).toBe('slept 100 ms');
});

test('the headers of a stream come before its first event', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http']).url();
  const session = await open(url);

  const stream = await fetch(url, {
    headers: { accept: 'text/event-stream', 'mcp-session-id': session },
    signal: AbortSignal.timeout(5000),
  });

  expect(stream.headers.get('content-type')).toBe('text/event-stream');
  await stream.body?.cancel();
});

test('on loopback a foreign Host or Origin is refused', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http']).url();

  expect(await statusOf(url, { host: 'evil.example' })).toBe(403);
  expect(await statusOf(url, { origin: 'http://evil.example' })).toBe(403);
});

test('--allowed-hosts insists on its own names', async () => {
  const url = await new ServerProcess(fixtureServer, ['--http', '--allowed-hosts', 'inner.example']).url();

  expect(await statusOf(url, {})).toBe(403);
  expect(await statusOf(url, { host: 'inner.example' })).toBe(200);
});

test('the port can come from the environment', async () => {
  const first = new ServerProcess(fixtureServer, ['--http']);
  const { port } = new URL(await first.url());
  first.signal('SIGTERM');
  await first.exited;

  const second = new ServerProcess(fixtureServer, ['--http'], { PORT: port });

  expect(await second.url()).toBe(`http://127.0.0.1:${port}/mcp`);
});

async function open(url: string): Promise<string> {
  const response = await post(url, undefined, initialize);
  const session = response.headers.get('mcp-session-id');
  await response.text();
  await post(url, session!, { method: 'notifications/initialized' });
  return session!;
}

function post(
  url: string,
  session: string | undefined,
  { signal, ...message }: { signal?: AbortSignal } & Record<string, unknown>,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    ...(signal !== undefined && { signal }),
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

/** Reads until the pattern is there, and returns its group. */
async function read(response: Response, pattern: RegExp): Promise<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ;) {
    const { done, value } = await reader.read();
    text += value ?? '';
    const found = pattern.exec(text);
    if (found !== null) return found[1]!;
    if (done) throw new Error(`the stream ended without ${String(pattern)}: ${text}`);
  }
}

/** fetch would not send a Host of ours. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const accept = 'application/json, text/event-stream';
    const req = request(url, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json', ...headers },
    });
    req.on('error', reject).on('response', (res) => {
      res.resume();
      resolve(res.statusCode);
    });
    req.end(JSON.stringify(initialize));
  });
}
