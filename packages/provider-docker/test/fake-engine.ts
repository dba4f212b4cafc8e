import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An event of an engine, as it tells it. */
interface ToldEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** A server on a socket that answers like an engine, until it is told to hang. */
export interface FakeEngine {
  readonly socketPath: string;
  /** Takes every request and answers none. */
  hangs: boolean;
  /** Streams that are open deliver nothing any more; requests are answered. */
  freezeStreams(): void;
  /** Breaks every stream, as an engine does that ends. */
  breakStreams(): void;
  /** Tells an event on every stream that is not frozen, and keeps it for those who ask for what was. */
  tell(event: ToldEvent): void;
  /** The addresses asked for. */
  readonly asked: readonly string[];
  /** How many requests wait for an answer on connections that are open. */
  readonly unanswered: number;
  /** How many connections are open. */
  readonly sockets: number;
  close(): Promise<void>;
}

/** Starts one. */
export async function fakeEngine(): Promise<FakeEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-engine-'));
  const socketPath = join(directory, 'docker.sock');
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const unanswered = new Set<ServerResponse>();
  let streams: ServerResponse[] = [];
  const told: ToldEvent[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    asked.push(`${request.method ?? ''} ${url.pathname}${url.searchParams.has('since') ? ' since' : ''}`);
    if (engine.hangs) {
      unanswered.add(response);
      response.on('close', () => unanswered.delete(response));
      return;
    }
    if (url.pathname === '/events') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      const since = url.searchParams.get('since');
      const missed = since === null ? [] : told.filter(({ timeNano }) => timeNano >= Number(since) * 1e9);
      for (const event of missed) response.write(`${JSON.stringify(event)}\n`);
      streams.push(response);
      return;
    }
    const answer = url.pathname === '/info' ? { ID: 'engine', Name: 'machine' } : [];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  const engine = {
    socketPath,
    hangs: false,
    freezeStreams: () => {
      streams = [];
    },
    breakStreams: () => {
      for (const stream of streams) stream.destroy();
      streams = [];
    },
    tell: (event: ToldEvent) => {
      told.push(event);
      for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
    },
    asked,
    get unanswered() {
      return unanswered.size;
    },
    get sockets() {
      return sockets.size;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return engine;
}
