import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultProxy, type FaultProxyOptions } from './fault-proxy.js';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A server that sends back what it gets, and remembers it. */
async function echo(): Promise<{ readonly port: number; readonly heard: () => string }> {
  let heard = '';
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (chunk) => (heard += String(chunk)));
    socket.pipe(socket);
  });
  const port = await listening(server);
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, heard: () => heard };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function proxyOf(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(options);
  undo.push(() => proxy.close());
  return proxy;
}

/** A client that keeps what it gets, and how its connection ended. */
class Client {
  readonly socket: Socket;
  got = '';
  ended: string | undefined;

  constructor({ address }: FaultProxy) {
    this.socket = connect(address);
    this.socket.on('data', (chunk) => (this.got += String(chunk)));
    this.socket.on('error', (error) => (this.ended = 'code' in error ? String(error.code) : error.message));
    this.socket.on('close', () => (this.ended ??= 'closed'));
    undo.push(() => this.socket.destroy());
  }

  async gets(text: string): Promise<void> {
    await expect.poll(() => this.got).toBe(text);
  }

  async ends(how: string): Promise<void> {
    await expect.poll(() => this.ended).toBe(how);
  }
}

/** Another way through this process has brought bytes there and back so often that any other would have, too. */
async function muchHasPassed(): Promise<void> {
  const other = new Client(await proxyOf({ backend: await echo() }));
  for (let turn = 1; turn <= 20; turn += 1) {
    other.socket.write('.');
    await other.gets('.'.repeat(turn));
  }
}

describe('a proxy that is open', () => {
  it('passes everything on, both ways and past the end of one of them', async () => {
    const server = await echo();
    const client = new Client(await proxyOf({ backend: server }));
    const big = 'x'.repeat(3_000_000);
    client.socket.end(big);
    await client.ends('closed');
    expect(client.got).toBe(big);
  });

  it('ends the one side when the other one has gone', async () => {
    let met: Socket | undefined;
    const server = createServer((socket) => (met = socket.on('error', () => undefined)));
    const port = await listening(server);
    undo.push(() => server.close());
    const proxy = await proxyOf({ backend: { port } });
    const [left, leaving] = [new Client(proxy), () => met ?? expect.fail('nobody came')];
    await expect.poll(() => met).toBeDefined();
    leaving().destroy();
    await left.ends('closed');
    met = undefined;
    const client = new Client(proxy);
    await expect.poll(() => met).toBeDefined();
    client.socket.destroy();
    await expect.poll(() => leaving().destroyed).toBe(true);
  });
});

describe('a proxy that is frozen', () => {
  it('moves no byte of the connections it has, either way, until it is open again', async () => {
    const pushed: Socket[] = [];
    let heard = '';
    const server = createServer((socket) => {
      pushed.push(socket.on('error', () => undefined));
      socket.on('data', (chunk) => (heard += String(chunk)));
    });
    const port = await listening(server);
    undo.push(() => server.close());
    const proxy = await proxyOf({ backend: { port } });
    const client = new Client(proxy);
    client.socket.write('before ');
    await expect.poll(() => heard).toBe('before ');
    pushed[0]?.write('hello ');
    await client.gets('hello ');

    await proxy.become('frozen');
    client.socket.write('frozen ');
    pushed[0]?.write('frozen');
    await muchHasPassed();
    expect([heard, client.got]).toEqual(['before ', 'hello ']);

    await proxy.become('open');
    await expect.poll(() => heard).toBe('before frozen ');
    await client.gets('hello frozen');
    expect(client.ended).toBeUndefined();
  });

  it('accepts who comes and never answers, then serves it', async () => {
    const server = await echo();
    const proxy = await proxyOf({ backend: server });
    await proxy.become('frozen');
    const client = new Client(proxy);
    await once(client.socket, 'connect');
    client.socket.write('anybody?');
    const second = new Client(proxy);
    await once(second.socket, 'connect');
    await muchHasPassed();
    expect([server.heard(), client.got, client.ended]).toEqual(['', '', undefined]);
    await proxy.become('open');
    await client.gets('anybody?');
  });

  it('says nothing of a backend that is gone, until it is open again', async () => {
    const gone = createServer();
    const port = await listening(gone);
    gone.close();
    const proxy = await proxyOf({ backend: { port } });
    await proxy.become('frozen');
    const client = new Client(proxy);
    await once(client.socket, 'connect');
    await muchHasPassed();
    expect(client.ended).toBeUndefined();
    await proxy.become('open');
    await client.ends('closed');
  });
});

describe('a proxy that refuses', () => {
  it('closes what it has and refuses who comes, until it is open again at the same port', async () => {
    const proxy = await proxyOf({ backend: await echo() });
    const before = new Client(proxy);
    before.socket.write('hello');
    await before.gets('hello');
    await proxy.become('refusing');
    await before.ends('closed');
    await new Client(proxy).ends('ECONNREFUSED');
    await proxy.become('open');
    const after = new Client(proxy);
    after.socket.write('again');
    await after.gets('again');
  });

  it('takes its unix socket away, and brings it back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpinfra-proxy-'));
    undo.push(() => rmSync(folder, { recursive: true }));
    const at = { path: join(folder, 'proxy.sock') };
    const proxy = await proxyOf({ backend: await echo(), at });
    await proxy.become('refusing');
    expect(existsSync(at.path)).toBe(false);
    await new Client(proxy).ends('ENOENT');
    await proxy.become('open');
    const after = new Client(proxy);
    after.socket.write('again');
    await after.gets('again');
  });

  it('closes who was waiting while it was frozen', async () => {
    const proxy = await proxyOf({ backend: await echo() });
    await proxy.become('frozen');
    const client = new Client(proxy);
    await once(client.socket, 'connect');
    await proxy.become('refusing');
    await client.ends('closed');
  });
});

describe('a proxy that resets', () => {
  it('resets what it has and who comes, until it is open again', async () => {
    const proxy = await proxyOf({ backend: await echo() });
    const before = new Client(proxy);
    before.socket.write('hello');
    await before.gets('hello');
    await proxy.become('resetting');
    await before.ends('ECONNRESET');
    const during = new Client(proxy);
    during.socket.write('hello');
    await expect.poll(() => during.ended).toMatch(/^(ECONNRESET|EPIPE)$/u);
    await proxy.become('open');
    const after = new Client(proxy);
    after.socket.write('again');
    await after.gets('again');
  });
});

describe('a proxy that is silent', () => {
  it('holds back what streams bring, also new ones, while requests are answered', async () => {
    const streams: { write(text: string): unknown }[] = [];
    const server = createHttpServer((req, res) => {
      if (req.url !== '/events') return void res.end('an answer');
      res.flushHeaders();
      streams.push(res);
    });
    const port = await listening(server);
    undo.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const proxy = await proxyOf({
      backend: { port },
      asksForStream: (chunk) => chunk.toString('latin1').startsWith('GET /events '),
    });
    // As clients do that use their connections again.
    const agent = new Agent({ keepAlive: true });
    undo.push(() => agent.destroy());
    const ask = async (path: string): Promise<() => string> => {
      const asked = request({ ...proxy.address, path, agent }).end();
      asked.on('error', () => undefined);
      const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
      let got = '';
      answer.on('error', () => undefined).on('data', (chunk) => (got += String(chunk)));
      return () => got;
    };
    await expect.poll(await ask('/')).toBe('an answer');
    const first = await ask('/events');
    streams[0]?.write('one ');
    await expect.poll(first).toBe('one ');
    proxy.silence();
    await expect.poll(await ask('/')).toBe('an answer');
    const second = await ask('/events');
    for (const stream of streams) stream.write('two');
    const other = await ask('/');
    await expect.poll(other).toBe('an answer');
    await muchHasPassed();
    expect([first(), second()]).toEqual(['one ', '']);
    proxy.endSilence();
    await expect.poll(first).toBe('one two');
    await expect.poll(second).toBe('two');
  });
});
