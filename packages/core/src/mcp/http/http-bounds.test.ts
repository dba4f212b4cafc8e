import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MCPLink } from '../../ports/mcp-link.js';
import { systemClock } from '../../runtime/system-clock.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { createMCPLinks } from '../create-mcp-links.js';
import { limits } from '../limits.js';
import { EventSize } from './event-size.js';
import { reconnectPauses } from './reconnect-pauses.js';

type Handler = (response: ServerResponse, id: unknown) => void;

const servers = new Set<Server>();
const links = new Set<MCPLink>();
afterEach(async () => {
  await Promise.all([...links].map((link) => link.close()));
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  for (const set of [links, servers]) set.clear();
});

const hello = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } };
const sse = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };

/** Serves polite streamable HTTP but for calls of tools and for the stream of GET. */
async function serve(
  handlers: { readonly call?: Handler; readonly get?: Handler; readonly other?: () => Promise<void> } = {},
) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const message = body === '' ? {} : (JSON.parse(body) as { id?: unknown; method?: string });
      asked.push(message.method ?? (request.method === 'POST' ? 'answer' : String(request.method)));
      const { call = answer, get = refuse, other } = handlers;
      if (request.method === 'GET') get(response, null);
      else if (request.method !== 'POST') refuse(response, null);
      else if (message.method === 'tools/call') call(response, message.id);
      else if (message.method === 'initialize') reply(response, message.id, hello);
      else {
        await other?.();
        response.writeHead(202).end();
      }
    });
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  const link = createMCPLinks({ clock: systemClock, logger: recordingLogger() }).open({
    instanceId: 'x',
    revision: 1,
    protocolEra: 'legacy',
    callTimeoutMs: 60_000,
    known: null,
    dial: async () => ({ kind: 'http', transport: 'streamable-http', url, headers: async () => ({}) }),
  });
  links.add(link);
  return { asked, link };
}

const refuse: Handler = (response) => response.writeHead(405).end();
const reply = (response: ServerResponse, id: unknown, result: object): void => {
  response.writeHead(200, json).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
};
const answer: Handler = (response, id) => reply(response, id, { content: [{ type: 'text', text: 'good' }] });
const call = { name: 'echo', arguments: {} };

/** Writes as fast as it is read. */
function pour(response: NodeJS.WritableStream, start: string): void {
  const block = Buffer.alloc(1024 * 1024, 'x');
  let written = 0;
  response.write(start);
  const more = (): void => {
    while (written < 2 * limits.messageBytes) {
      written += block.length;
      if (!response.write(block)) return;
    }
    response.end();
  };
  response.on('drain', more);
  more();
}

describe('an answer over HTTP beyond the limit of one message', () => {
  const start = (id: unknown): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"text":"`;

  it.each<[string, Handler]>([
    [
      'as JSON',
      (response, id) => {
        response.writeHead(200, json);
        pour(response, start(id));
      },
    ],
    [
      'that is little before it is decompressed',
      (response, id) => {
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
        const gzip = createGzip();
        gzip.pipe(response);
        pour(gzip, start(id));
      },
    ],
    [
      'as an event of a stream',
      (response, id) => {
        response.writeHead(200, sse);
        pour(response, `data: ${start(id)}`);
      },
    ],
    [
      'as an error status',
      (response) => {
        response.writeHead(500, json);
        pour(response, '');
      },
    ],
  ])('%s is given up with a code', { timeout: 60_000 }, async (_, handler) => {
    const { link } = await serve({ call: handler });
    await expect(link.callTool(call)).rejects.toMatchObject({
      code: _ === 'as an error status' ? 'HTTP_STATUS' : 'MESSAGE_TOO_LARGE',
    });
    expect(link.callsInFlight).toBe(0);
  });
});

describe('EventSize', () => {
  it('finds the ends of events however the bytes are cut', () => {
    const stream = Buffer.from('data: a\n\ndata: b\r\n\r\n: comment\ndata: c\n\n\ndata: rest');
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const size = new EventSize();
      const ended = size.push(stream.subarray(0, cut)) + size.push(stream.subarray(cut));
      expect([ended, size.bytes]).toEqual([4, 'data: rest'.length]);
    }
  });
});

describe('a stream that ends at once', () => {
  it('is opened again after ever longer pauses, whatever the server says by retry', async () => {
    const clock = manualClock();
    const opened: number[] = [];
    const again = reconnectPauses(clock, () => undefined);
    const reconnect = (): void => {
      opened.push(clock.monotonicMs());
      again(reconnect, 0);
    };
    again(reconnect, 0);
    await clock.advance(60_000, async () => undefined);
    expect(opened).toEqual([1_000, 3_000, 7_000, 15_000, 31_000]);
  });

  it.each([Infinity, Number.MAX_SAFE_INTEGER, 3_600_000])('is not waited for %i ms', async (retry) => {
    const clock = manualClock();
    const reconnect = vi.fn();
    reconnectPauses(clock, () => undefined)(reconnect, retry);
    await clock.advance(limits.reconnectLongestMs);
    expect(reconnect).toHaveBeenCalledOnce();
  });

  it('is opened again in time when it stayed open before', async () => {
    const clock = manualClock();
    const reconnect = vi.fn();
    const again = reconnectPauses(clock, () => undefined);
    for (let at = 1; at <= 5; at += 1) {
      again(reconnect, 2_000);
      await clock.advance(2_000);
      expect(reconnect).toHaveBeenCalledTimes(at);
      await clock.advance(10_000);
    }
  });

  it('asks the server no more than once in its first second', async () => {
    const { asked, link } = await serve({
      get: (response) => response.writeHead(200, sse).end('retry: 0\nid: 1\ndata:\n\n'),
    });
    await link.callTool(call);
    await vi.waitFor(() => expect(asked).toContain('GET'));
    const atMs = performance.now();
    await delay(900);
    if (performance.now() - atMs < 1_000) expect(asked.filter((what) => what === 'GET')).toHaveLength(1);
  });
});

describe('a server over HTTP that floods', () => {
  it('gets few answers at once, and few events read', async () => {
    const ping = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n\n`.repeat(500);
    let flooding = true;
    const { asked, link } = await serve({
      get: (response) => {
        response.writeHead(200, sse);
        const flood = (): void => {
          while (flooding && response.write(ping)) continue;
        };
        response.on('drain', flood);
        flood();
      },
      // The answers are never taken.
      other: async () => {
        if (asked.at(-1) === 'answer') await new Promise(() => undefined);
      },
    });
    await link.callTool(call);
    await vi.waitFor(() => expect(asked.filter((what) => what === 'answer').length).toBeGreaterThan(32));
    expect(await link.callTool(call)).toMatchObject({ content: [{ text: 'good' }] });
    expect(asked.filter((what) => what === 'answer').length).toBeLessThanOrEqual(limits.answersInFlight);
    flooding = false;
  });
});

describe('an exception in a handler of a client over HTTP', () => {
  const thrower = (): never => {
    throw new Error('thrown by the host');
  };

  it.each(['onclose', 'onerror'] as const)('%s ends neither the process nor the close', async (handler) => {
    const { link } = await serve({
      call: (response) => response.writeHead(200, sse).end('data: {"odd": true}\n\n'),
    });
    const client = await link.connect();
    client[handler] = thrower;
    client.setNotificationHandler('notifications/message', thrower);
    await expect(client.callTool(call)).rejects.toThrow(/ended its answer/u);
    await client.close();
  });
});
