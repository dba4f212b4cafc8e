import { connect, createServer, type AddressInfo, type Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Clock } from '../../ports/clock.js';
import type { MCPLink } from '../../ports/mcp-link.js';
import type { PeerHost, PeerLink } from '../../ports/peer-link.js';
import type { LogLine, StdioChannel } from '../../ports/provider.js';
import { systemClock } from '../../runtime/system-clock.js';
import { fakeProvider } from '../../testing/fake-provider.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import type { TestTools } from '../../testing/tools.js';
import { createMCPLinks } from '../create-mcp-links.js';
import { openPeerLink } from './open-peer-link.js';

const key = 'k'.repeat(32);
const copy = { instanceId: 'i-1', revision: 1 };

const opened = new Set<{ close(): unknown }>();
afterEach(async () => {
  await Promise.all([...opened].map(async (one) => one.close()));
  opened.clear();
});

function keep<T extends { close(): unknown }>(one: T): T {
  opened.add(one);
  return one;
}

const nothing: PeerHost = {
  openSession: () => Promise.reject(mcpError('NOT_OWNER', 'This process does not own the instance "i-1".')),
  logs: () => Promise.reject(mcpError('CAPABILITY_UNSUPPORTED', 'The provider "docker" keeps no logs.')),
};

async function peer(
  options: {
    readonly host?: PeerHost;
    readonly key?: string;
    readonly fleet?: string;
    readonly listens?: boolean;
    readonly clock?: Clock;
  } = {},
) {
  const logger = recordingLogger();
  const link = await openPeerLink({
    settings: {
      key: options.key ?? key,
      listen: options.listens === false ? null : { host: '127.0.0.1', port: 0 },
      advertise: null,
    },
    fleet: options.fleet ?? 'f',
    host: options.host ?? nothing,
    clock: options.clock ?? systemClock,
    logger,
  });
  return { link: keep(link), logger, address: link.address ?? '' };
}

/** A server with these tools, and the host of the process that owns it. */
async function owned(tools: TestTools, scrub: (text: string) => string = (it) => it) {
  const provider = fakeProvider({ tools });
  await provider.open({ fleet: 'f', storeId: 's', logger: recordingLogger() });
  const ref = { ...copy, slug: 'one-1' };
  await provider.ensureRunning({
    copy: ref,
    spec: { type: 'docker', image: 'x' },
    instanceName: 'one',
    labels: {},
    environment: async () => ({}),
    secrets: () => Promise.reject(mcpError('INTERNAL', 'Nobody asks.')),
    onProgress: () => undefined,
  });
  const links = () =>
    linkTo(async () => {
      const secrets = () => Promise.reject(mcpError('INTERNAL', 'Nobody asks.'));
      return provider.dial({ copy: ref, spec: { type: 'docker', image: 'x' }, secrets });
    });
  const link = links();
  const host: PeerHost = {
    ...nothing,
    openSession: async (_copy, options) => ({ transport: await link.openSession(options), scrub }),
  };
  return { provider, link, links, host };
}

function linkTo(dial: Parameters<ReturnType<typeof createMCPLinks>['open']>[0]['dial']): MCPLink {
  const links = createMCPLinks({ clock: systemClock, logger: recordingLogger() });
  return keep(links.open({ ...copy, protocolEra: 'legacy', callTimeoutMs: 20_000, known: null, dial }));
}

/** A link of another process to the same server. */
function remoteLink(from: PeerLink, address: string) {
  const channels: StdioChannel[] = [];
  const link = linkTo(async (options) => {
    const channel = await from.openChannel(address, copy, options);
    channels.push(channel);
    return { kind: 'stdio', channel };
  });
  return { link, channels };
}

const failure = (work: Promise<unknown>): Promise<MCPInfraError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as MCPInfraError,
  );

const until = (met: () => void) => vi.waitFor(met, { timeout: 5_000, interval: 5 });

describe('a session through a peer', () => {
  it('calls tools of a server that only its owner may open, a hundred at once over one connection', async () => {
    const { host, link: own } = await owned({ echo: (args) => args });
    const { address } = await peer({ host });
    const { link, channels } = remoteLink((await peer({ listens: false })).link, address);
    const calls = Array.from({ length: 100 }, (_, n) => link.callTool({ name: 'echo', arguments: { n } }));
    const answers = await Promise.all(calls);
    expect(answers.map((answer) => answer.structuredContent)).toEqual(
      Array.from({ length: 100 }, (_, n) => ({ n })),
    );
    expect(channels).toHaveLength(1);
    expect((await own.callTool({ name: 'echo', arguments: { n: 7 } })).structuredContent).toEqual({ n: 7 });
  });

  it('carries messages of several megabytes whole, both ways', async () => {
    const { host } = await owned({ echo: ({ big }) => String(big).length.toString() + String(big) });
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const big = 'ä'.repeat(4_000_000);
    const { content } = await link.callTool({ name: 'echo', arguments: { big } });
    expect(content[0]?.['text']).toBe(`4000000${big}`);
  });

  it('counts its calls at the owner, which can wait for them', async () => {
    let answer: (value: string) => void = () => undefined;
    const { host, link: own } = await owned({ slow: () => new Promise((resolve) => (answer = resolve)) });
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const call = link.callTool({ name: 'slow', arguments: {} });
    await until(() => expect(own.callsInFlight).toBe(1));
    let isDrained = false;
    const drained = own.drained().then(() => (isDrained = true));
    await setImmediate();
    expect(isDrained).toBe(false);
    answer('done');
    await drained;
    expect((await call).content).toEqual([{ type: 'text', text: 'done' }]);
  });

  it('cancels at the server what its caller gives up', async () => {
    let cancelled = false;
    let began = false;
    const { host, link: own } = await owned({
      slow: (_args, { signal }) =>
        new Promise((_resolve, reject) => {
          began = true;
          signal.addEventListener('abort', () => {
            cancelled = true;
            reject(new Error('cancelled'));
          });
        }),
    });
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const caller = new AbortController();
    const call = failure(link.callTool({ name: 'slow', arguments: {} }, { signal: caller.signal }));
    await until(() => expect(began).toBe(true));
    caller.abort();
    expect((await call).code).toBe('ABORTED');
    await until(() => expect(cancelled).toBe(true));
    await until(() => expect(own.callsInFlight).toBe(0));
  });

  it('ends alone when its client leaves: the server goes on and other sessions with it', async () => {
    const { host, link: own, provider } = await owned({ echo: (args) => args });
    const { address } = await peer({ host });
    const one = remoteLink((await peer({ listens: false })).link, address);
    const other = remoteLink((await peer({ listens: false })).link, address);
    await one.link.callTool({ name: 'echo', arguments: {} });
    await other.link.callTool({ name: 'echo', arguments: {} });
    await one.link.close();
    expect((await other.link.callTool({ name: 'echo', arguments: { n: 1 } })).structuredContent).toEqual({
      n: 1,
    });
    expect((await own.callTool({ name: 'echo', arguments: { n: 2 } })).structuredContent).toEqual({ n: 2 });
    expect(provider.copies()).toMatchObject([{ state: 'running' }]);
  });

  it('leaves the outcome of a call unknown when the owner goes away during it, and opens anew for the next', async () => {
    let calls = 0;
    const { host } = await owned({
      once: () => ((calls += 1) === 1 ? new Promise(() => undefined) : 'again'),
    });
    const first = await peer({ host });
    const from = (await peer({ listens: false })).link;
    let address = first.address;
    const link = linkTo(async (options) => ({
      kind: 'stdio',
      channel: await from.openChannel(address, copy, options),
    }));
    const call = failure(link.callTool({ name: 'once', arguments: {} }));
    await until(() => expect(calls).toBe(1));
    await first.link.close();
    expect((await call).code).toBe('OUTCOME_UNKNOWN');
    address = (await peer({ host })).address;
    expect((await link.callTool({ name: 'once', arguments: {} })).content).toEqual([
      { type: 'text', text: 'again' },
    ]);
    expect(calls).toBe(2);
  });

  it('loses no call and repeats none while the owner lets go of the streams between calls', async () => {
    const times = new Map<unknown, number>();
    const { links } = await owned({
      count: ({ n }) => {
        times.set(n, (times.get(n) ?? 0) + 1);
        return String(n);
      },
    });
    let own = links();
    const { address } = await peer({
      host: {
        ...nothing,
        openSession: async (_copy, options) => ({
          transport: await own.openSession(options),
          scrub: (it) => it,
        }),
      },
    });
    const { link, channels } = remoteLink((await peer({ listens: false })).link, address);
    const done = new AbortController();
    const lettingGo = (async () => {
      for (let enough = 20; !done.signal.aborted;) {
        await setImmediate();
        if (times.size < enough) continue;
        enough = times.size + 20;
        await own.drained();
        const old = own;
        own = links();
        await old.close();
      }
    })();
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < 500) {
        const n = (next += 1);
        const { content } = await link.callTool({ name: 'count', arguments: { n } });
        expect(content[0]?.['text']).toBe(String(n));
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller)).finally(() => done.abort());
    await lettingGo;
    expect([...times.values()].every((count) => count === 1)).toBe(true);
    expect(times.size).toBe(next);
    expect(channels.length).toBeGreaterThan(3);
  });

  it('leaves the outcome unknown when the server crashes under it', async () => {
    let began = false;
    const { host, provider } = await owned({
      hang: () => {
        began = true;
        return new Promise(() => undefined);
      },
    });
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const call = failure(link.callTool({ name: 'hang', arguments: {} }));
    await until(() => expect(began).toBe(true));
    provider.crash('one');
    expect((await call).code).toBe('OUTCOME_UNKNOWN');
  });

  it('takes secrets out of what the server answers as an error', async () => {
    const { host } = await owned({}, (text) => text.replaceAll('hunter22', '[secret]'));
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const client = keep(await link.connect());
    const error = await failure(client.callTool({ name: 'no-tool-hunter22', arguments: {} }));
    expect(error.message).toContain('no-tool-');
    expect(JSON.stringify([error.message, error])).not.toContain('hunter22');
  });

  it('refuses a message larger than the limit before it is sent', async () => {
    let calls = 0;
    const { host } = await owned({ echo: () => String((calls += 1)) });
    const { address } = await peer({ host });
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    const huge = 'x'.repeat(65 * 1024 * 1024);
    const error = await failure(link.callTool({ name: 'echo', arguments: { huge } }));
    expect(error.code).toBe('MESSAGE_TOO_LARGE');
    expect((await link.callTool({ name: 'echo', arguments: {} })).content).toMatchObject([{ text: '1' }]);
  });

  it('cuts off a peer that writes a line without end', async () => {
    const { host, link: own } = await owned({ echo: (args) => args });
    const { address } = await peer({ host });
    const { input, output } = await (await peer({ listens: false })).link.openChannel(address, copy);
    const ended = new Promise((resolve) => output.once('close', resolve));
    output.resume();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const flood = (): void => {
      while (input.writable && input.write(chunk));
      if (input.writable) input.once('drain', flood);
    };
    flood();
    await ended;
    expect((await own.callTool({ name: 'echo', arguments: { n: 1 } })).structuredContent).toEqual({ n: 1 });
  });

  it('skips lines that are no messages', async () => {
    const { host } = await owned({ echo: (args) => args });
    const { address } = await peer({ host });
    const { link, channels } = remoteLink((await peer({ listens: false })).link, address);
    await link.callTool({ name: 'echo', arguments: {} });
    channels[0]?.input.write('not json\n{"jsonrpc":"1.0"}\n[1,2]\n\n');
    expect((await link.callTool({ name: 'echo', arguments: { n: 1 } })).structuredContent).toEqual({ n: 1 });
  });
});

describe('a connection between peers', () => {
  it('lives while both sides are well, however long nothing is said', async () => {
    const { host } = await owned({ echo: (args) => args });
    const clock = manualClock();
    const { address } = await peer({ host, clock });
    const { link, channels } = remoteLink((await peer({ listens: false, clock })).link, address);
    await link.callTool({ name: 'echo', arguments: {} });
    const socket = socketOf(channels);
    for (let beat = 0; beat < 12; beat += 1) {
      const before = socket?.bytesRead ?? 0;
      await clock.advance(5_000);
      await until(() => expect(socket?.bytesRead).toBeGreaterThan(before));
    }
    expect(socket?.destroyed).toBe(false);
  });

  it('is given up when the other side has been silent for 15 s', async () => {
    const { host, link: own } = await owned({ echo: (args) => args });
    // The clock of the owner stands still, as that of a machine that is frozen.
    const { address } = await peer({ host, clock: manualClock() });
    const clock = manualClock();
    const from = await peer({ listens: false, clock });
    const { link, channels } = remoteLink(from.link, address);
    await link.callTool({ name: 'echo', arguments: {} });
    await clock.advance(14_000);
    const socket = socketOf(channels);
    expect(socket?.destroyed).toBe(false);
    await clock.advance(11_000);
    await until(() => expect(socket?.destroyed).toBe(true));
    expect(own.callsInFlight).toBe(0);
  });
});

describe('a peer that is asked', () => {
  it('refuses what it does not own, and says so', async () => {
    const { address } = await peer();
    const { link } = await peer({ listens: false });
    expect(await failure(link.openChannel(address, copy))).toMatchObject({
      code: 'NOT_OWNER',
      message: 'This process does not own the instance "i-1".',
    });
  });

  it.each([
    ['another key', { key: 'K'.repeat(32) }],
    ['another fleet', { fleet: 'g' }],
  ])('refuses a process with %s, once in each log and without the key', async (_what, other) => {
    const { address, logger } = await peer();
    const stranger = await peer({ listens: false, ...other });
    for (const _ of [1, 2]) {
      const error = await failure(stranger.link.openChannel(address, copy));
      expect(error).toMatchObject({ code: 'PEER_UNAUTHORIZED', retryable: true });
      expect(error.message).toContain(address);
      expect(error.message).not.toMatch(/kkkk/iu);
    }
    for (const { lines } of [logger, stranger.logger]) {
      expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
      expect(JSON.stringify(lines)).not.toMatch(/kkkk/iu);
    }
  });

  it('survives those who do not speak TLS, and goes on serving', async () => {
    const { host } = await owned({ echo: (args) => args });
    const { address, logger } = await peer({ host });
    const port = Number(address.split(':')[1]);
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(4_096), '\x16\x03\x01\x02\x00garbage']) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(garbage);
      await text(socket).catch(() => undefined);
    }
    const refused = logger.lines
      .filter(({ level }) => level === 'warn')
      .map(({ fields }) => fields['address']);
    expect(refused).toContain('127.0.0.1');
    expect(new Set(refused).size).toBe(refused.length);
    const { link } = remoteLink((await peer({ listens: false })).link, address);
    expect((await link.callTool({ name: 'echo', arguments: { n: 1 } })).structuredContent).toEqual({ n: 1 });
  });

  it('says what to check when nothing listens at the address of the owner', async () => {
    const { link, address } = await peer();
    await link.close();
    const error = await failure((await peer({ listens: false })).link.openChannel(address, copy));
    expect(error.code).toBe('CONNECTION_REFUSED');
    expect(error.message).toContain(address);
    expect(error.message).toContain('peer.advertise');
  });

  it('is not waited for without end when it takes the connection and is silent', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    keep(closable(silent));
    const clock = manualClock();
    const { link } = await peer({ listens: false, clock });
    const error = failure(link.openChannel(`127.0.0.1:${(silent.address() as AddressInfo).port}`, copy));
    await setImmediate();
    await clock.advance(10_000);
    expect((await error).code).toBe('REQUEST_TIMEOUT');
  });

  it('names the option when its port is taken', async () => {
    const { address } = await peer();
    const settings = {
      key,
      listen: { host: '127.0.0.1', port: Number(address.split(':')[1]) },
      advertise: null,
    };
    const error = await failure(
      openPeerLink({ settings, fleet: 'f', host: nothing, clock: systemClock, logger: recordingLogger() }),
    );
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(error.message).toContain(`peer.listen cannot be had: ${address}`);
  });
});

describe('logs through a peer', () => {
  const line = (n: number): LogLine => ({
    at: '2026-01-01T00:00:00.000Z',
    stream: 'stderr',
    text: `line ${n}`,
  });

  async function lines(of: (signal?: AbortSignal) => AsyncIterable<LogLine>) {
    const asked: unknown[] = [];
    const host: PeerHost = {
      ...nothing,
      logs: async (logs, options) => {
        asked.push(logs);
        return of(options?.signal);
      },
    };
    const { address, link: owner } = await peer({ host });
    const { link } = await peer({ listens: false });
    return { link, owner, address, asked };
  }

  it('come as they were written, and end', async () => {
    const { link, address, asked } = await lines(async function* () {
      for (let n = 0; n < 1_000; n += 1) yield line(n);
    });
    const query = { tail: 1_000, follow: false };
    const read: LogLine[] = [];
    for await (const one of await link.openLogs(address, { instanceId: 'i-1', query })) read.push(one);
    expect(read).toEqual(Array.from({ length: 1_000 }, (_, n) => line(n)));
    expect(asked).toEqual([{ instanceId: 'i-1', query }]);
  });

  it('are followed until the reader has enough, and then nobody reads them at the owner', async () => {
    let ended = false;
    const { link, address } = await lines(async function* (signal) {
      try {
        for (let n = 0; signal?.aborted !== true; n += 1) {
          yield line(n);
          await setImmediate();
        }
      } finally {
        ended = true;
      }
    });
    const ends = new AbortController();
    const read: string[] = [];
    const followed = await link.openLogs(
      address,
      { instanceId: 'i-1', query: { follow: true } },
      { signal: ends.signal },
    );
    for await (const { text } of followed) {
      read.push(text);
      if (read.length === 3) ends.abort();
    }
    expect(read.slice(0, 3)).toEqual(['line 0', 'line 1', 'line 2']);
    await until(() => expect(ended).toBe(true));
  });

  it('fail with what the owner met, after the lines before it', async () => {
    const { link, address } = await lines(async function* () {
      yield line(0);
      throw mcpError('PROVIDER_FAILED', 'The engine went away.');
    });
    const read: LogLine[] = [];
    const error = await failure(
      (async () => {
        for await (const one of await link.openLogs(address, { instanceId: 'i-1', query: {} }))
          read.push(one);
      })(),
    );
    expect(read).toEqual([line(0)]);
    expect(error).toMatchObject({ code: 'PROVIDER_FAILED', message: 'The engine went away.' });
  });

  it('do not seem to have ended when the owner went away', async () => {
    const { link, owner, address } = await lines(async function* () {
      yield line(0);
      await new Promise(() => undefined);
    });
    const followed = await link.openLogs(address, { instanceId: 'i-1', query: { follow: true } });
    const error = await failure(
      (async () => {
        for await (const _ of followed) await owner.close();
      })(),
    );
    expect(error.code).toBe('CONNECTION_CLOSED');
  });
});

function socketOf([channel]: readonly StdioChannel[]): Socket | undefined {
  return channel?.input instanceof Socket ? channel.input : undefined;
}

function closable(server: Server): { close(): void } {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
