import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { behaviours } from '../src/hostile-server/behaviours.js';
import { hostileServer } from '../src/index.js';
import { callText, connectHttp, connectStdio, createClient } from './support/clients.js';
import { catchesSigterm, readGrandchild, sessionOf } from './support/grandchild.js';
import { eventually } from './support/eventually.js';
import { ServerProcess } from './support/server-process.js';

const start = (...argv: string[]) => new ServerProcess(hostileServer, argv);
const initialize = {
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1.0.0' } },
};
const call = (id: number) => ({
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'heard' } },
});
const heard = (id: number) => ({ id, result: { content: [{ type: 'text', text: 'heard' }] } });

describe.each([
  ['stdio', []],
  ['HTTP', ['--http']],
])('over %s a client gets through', (_name, transport) => {
  test.each([
    [['hang-after', '--after', '2']],
    [['crash-after', '--after', '1']],
    [['exit-on-unknown']],
    [['late', '--ms', '20']],
    [['slow-start', '--ms', '20']],
    [['flood-stderr', '--bytes', '5000000']],
    [['garbage']],
    [['reuse-ids']],
    [['oom', '--bytes', '20000000']],
    [['ignore-eof']],
  ])('%j', async (argv) => {
    const client = createClient('legacy');
    if (transport.length === 0) await connectStdio(client, [hostileServer, ...argv]);
    else await connectHttp(client, await start(...argv, ...transport).url());

    expect(await callText(client, 'echo', { text: 'through' })).toBe('through');
  });
});

describe('excess', () => {
  test('never-read answers the greeting, then asks without end and reads nothing', async () => {
    const server = start('never-read', '--after', '1');
    server.write(initialize);
    await expect.poll(() => server.lines.length, eventually).toBeGreaterThan(5_000);
    server.write(call(1));
    const before = server.lines.length;
    await expect.poll(() => server.lines.length, eventually).toBeGreaterThan(before + 5_000);
    expect(server.lines.filter((line) => line.includes('heard'))).toEqual([]);
    server.signal('SIGKILL');
    await server.exited;
  });

  test('retry-0 ends each stream at once', async () => {
    const server = start('retry-0');
    const url = await server.url();
    for (let at = 0; at < 3; at += 1) expect(await (await fetch(url)).text()).toContain('retry: 0');
    await expect.poll(() => server.stderr, eventually).toContain('opened 3');
  });

  test('gzip-bomb answers a call with little that becomes much', async () => {
    const url = await start('gzip-bomb', '--bytes', '20000000').url();
    const body = JSON.stringify({ jsonrpc: '2.0', ...call(1) });
    const answer = await (await fetch(url, { method: 'POST', body })).text();
    expect(answer.length).toBeGreaterThan(20_000_000);
  });

  test('endless-lists gives another cursor with each page, huge-list many tools in one', async () => {
    const list = { id: 1, method: 'tools/list' };
    const endless = start('endless-lists');
    endless.write(list, { ...list, id: 2 });
    await expect
      .poll(() => endless.messages, eventually)
      .toMatchObject([{ result: { nextCursor: '1' } }, { result: { nextCursor: '2' } }]);
    const huge = start('huge-list', '--bytes', '2000000');
    huge.write(list);
    await expect
      .poll(() => huge.messages, eventually)
      .toMatchObject([{ result: { tools: { length: 2_000 } } }]);
  });

  // The official client gives up where more than 10 MB wait to be read, so it is not asked.
  test('flood tells what nobody asked for, and answers in between', async () => {
    const server = start('flood');
    server.write(initialize, call(1));
    await server.message(heard(1));
    expect(server.lines.filter((line) => line.includes('nobody asked')).length).toBeGreaterThan(1_000);
    server.signal('SIGKILL');
    await server.exited;
  });
});

describe('silence', () => {
  test('hang-on-start answers nothing', async () => {
    const server = start('hang-on-start');

    server.write(initialize, call(1));
    server.closeStdin();

    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.lines).toEqual([]);
  });

  test('hang-after answers so many requests, and then none', async () => {
    const server = start('hang-after', '--after', '2');

    server.write(initialize, call(1), call(2), call(3));
    server.closeStdin();

    await server.exited;
    expect(server.messages).toEqual([
      expect.objectContaining({ id: 'init' }),
      expect.objectContaining(heard(1)),
    ]);
  });

  test('late answers each request after the time', async () => {
    const server = start('late', '--ms', '100');
    server.write(initialize);
    await server.message({ id: 'init' });
    const asked = performance.now();

    server.write(call(1), call(2));
    await server.message(heard(2));

    expect(performance.now() - asked).toBeGreaterThanOrEqual(99);
  });

  test('slow-start answers nothing before the time', async () => {
    const began = performance.now();
    const server = start('slow-start', '--ms', '200');

    server.write(initialize);
    await server.message({ id: 'init' });

    expect(performance.now() - began).toBeGreaterThanOrEqual(199);
  });
});

describe('death', () => {
  test('exit-at-once leaves two lines and a code', async () => {
    const server = start('exit-at-once', '--code', '3');

    expect(await server.exited).toEqual({ code: 3, signal: null });
    expect(server.stderr.trim().split('\n')).toHaveLength(2);
  });

  test('crash-after answers so many calls and kills itself at the next', async () => {
    const server = start('crash-after', '--after', '1');

    server.write(initialize, call(1), call(2));

    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(server.messages).toContainEqual(expect.objectContaining(heard(1)));
  });

  test('exit-on-unknown exits at a request before initialize', async () => {
    const server = start('exit-on-unknown', '--code', '4');

    server.write({ id: 1, method: 'server/discover' });

    expect(await server.exited).toEqual({ code: 4, signal: null });
    expect(server.stderr).toContain('server/discover');
  });

  test('oom takes memory, as much as it was told', async () => {
    const server = start('oom', '--bytes', '20000000');

    await expect.poll(() => server.stderr, eventually).toContain('holding 33554432 bytes');
  });
});

describe('noise', () => {
  test('flood-stderr answers in the middle of megabytes', async () => {
    const server = start('flood-stderr');
    await expect.poll(() => server.stderr.length, eventually).toBeGreaterThan(5_000_000);

    server.write(call(1));

    await server.message(heard(1));
  });

  test('garbage puts what is no message before each answer', async () => {
    const server = start('garbage');

    server.write(call(1));
    await server.message(heard(1));

    expect(server.lines).toContain('Server running on stdio');
    expect(server.lines).toContain('{"jsonrpc":"2.0","id":');
    expect(server.lines.join()).toContain('\u{fffd}');
  });

  test('huge returns so many bytes', async () => {
    const server = start('huge', '--bytes', '12000000');

    server.write(call(1));

    await expect.poll(() => server.lines[0]?.length, eventually).toBeGreaterThan(12_000_000);
  });

  test('leak-secret tells its environment to the log and to the client', async () => {
    const server = new ServerProcess(hostileServer, ['leak-secret'], { API_KEY: 'hunter2' });

    server.write(call(1));
    await server.message({ id: 1 });

    expect(server.stderr).toContain('API_KEY=hunter2');
    expect(server.lines.join()).toContain('API_KEY=hunter2');
  });
});

describe('protocol', () => {
  test('reuse-ids asks by the id of the client, answers twice, and answers what nobody asked', async () => {
    const server = start('reuse-ids');

    server.write(call(1));
    await server.message({ id: 1, result: { content: [{ type: 'text', text: 'a second answer' }] } });

    expect(server.messages).toEqual([
      expect.objectContaining({ id: 1, method: 'ping' }),
      expect.objectContaining({ id: 'never-asked' }),
      expect.objectContaining(heard(1)),
      expect.objectContaining({ id: 1 }),
    ]);
  });

  test('batch answers in arrays', async () => {
    const server = start('batch');

    server.write(call(1));

    await expect
      .poll(() => server.messages, eventually)
      .toEqual([
        [expect.objectContaining({ method: 'notifications/message' }), expect.objectContaining(heard(1))],
      ]);
  });

  test('wrong-version insists on a version that no client has', async () => {
    await expect(connectStdio(createClient('legacy'), [hostileServer, 'wrong-version'])).rejects.toThrow(
      '1999-12-31',
    );
  });

  test('no-tools declares none and has none', async () => {
    const client = createClient('legacy');
    await connectStdio(client, [hostileServer, 'no-tools']);

    expect(client.getServerCapabilities()).toEqual({});
    await expect(client.callTool({ name: 'echo', arguments: { text: '' } })).rejects.toThrow();
  });

  test('server-requests asks for a sample with no call, and for one in a call', async () => {
    const server = start('server-requests');
    const sample = { role: 'assistant', model: 'none', content: { type: 'text', text: 'sampled' } };

    server.write(initialize, { method: 'notifications/initialized' });
    await server.message({ id: 'unrelated', method: 'sampling/createMessage' });
    server.write({ id: 'unrelated', error: { code: -1, message: 'refused' } }, call(1));
    await server.message({ id: 'call-0', method: 'sampling/createMessage' });
    server.write({ id: 'call-0', result: sample });
    await server.message({ id: 1 });

    expect(server.stderr).toContain('refused');
    expect(server.lines.at(-1)).toContain('sampled');
  });

  test('stdio-though-port listens nowhere and speaks before it is asked', async () => {
    const port = await freePort();
    const server = new ServerProcess(hostileServer, ['stdio-though-port'], { PORT: String(port) });

    await server.message({ method: 'notifications/message' });
    server.write(call(1));
    await server.message(heard(1));

    await expect(connectTcp(port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('survival', () => {
  test.each(['ignore-eof', 'ignore-eof-and-fork'])(
    '%s goes on without stdin and through signals',
    async (behaviour) => {
      const pidfile = await temporaryFile();
      const server = start(behaviour, '--pidfile', pidfile);
      server.write(call(1));
      await server.message(heard(1));
      if (behaviour.endsWith('fork')) readGrandchild(pidfile);

      server.signal('SIGTERM');
      server.signal('SIGINT');
      server.closeStdin();

      await expect.poll(() => server.stderr, eventually).toMatch(/SIGTERM: ignored/);
      await expect.poll(() => server.stderr, eventually).toMatch(/SIGINT: ignored/);
      await expect.poll(() => server.stderr, eventually).toMatch(/stdin ended: ignored/);
      expect(server.isAlive).toBe(true);
    },
  );

  test('fork-setsid leaves a process in a session of its own', async () => {
    const pidfile = await temporaryFile();
    const server = start('fork-setsid', '--pidfile', pidfile);
    server.write(call(1));
    await server.message(heard(1));
    const grandchild = readGrandchild(pidfile);

    server.closeStdin();
    await server.exited;

    expect(sessionOf(grandchild)).toBe(grandchild);
    expect(catchesSigterm(grandchild)).toBe(true);
  });
});

describe('HTTP', () => {
  test.each([
    [['http-500'], 500, {}],
    [['http-html'], 200, { 'content-type': 'text/html' }],
    [
      ['http-401'],
      401,
      { 'www-authenticate': expect.stringMatching(/^Bearer .*resource_metadata="http/) as string },
    ],
    [['http-redirect', '--url', 'http://169.254.169.254/'], 307, { location: 'http://169.254.169.254/' }],
  ])('%j answers %i', async (argv, status, headers) => {
    const url = await start(...argv).url();

    const response = await fetch(url, { method: 'POST', body: '{}', redirect: 'manual' });

    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(headers);
    await expect(connectHttp(createClient('legacy'), url)).rejects.toThrow();
  });

  test('http-hang takes the request and says nothing', async () => {
    const url = await start('http-hang').url();

    const response = fetch(url, { method: 'POST', body: '{}', signal: AbortSignal.timeout(200) });

    await expect(response).rejects.toThrow('timeout');
  });

  test('hang-on-start takes the request and says nothing', async () => {
    const url = await start('hang-on-start', '--http').url();
    const body = JSON.stringify({ jsonrpc: '2.0', ...initialize });

    const response = fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(200) });

    await expect(response).rejects.toThrow('timeout');
  });
});

test.each([
  [['no-such-thing'], "unknown behaviour 'no-such-thing'"],
  [['server-requests', '--http'], 'server-requests has no HTTP'],
  [['late', '--ms', 'soon'], "got 'soon'"],
  [[], 'exactly one behaviour'],
])('the arguments %j are refused with a reason', async (argv, reason) => {
  const server = start(...argv);

  expect(await server.exited).toEqual({ code: 2, signal: null });
  expect(server.stderr).toContain(reason);
});

test('the README describes each behaviour', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const described = [...readme.matchAll(/^\| `([\w-]+)/gm)].map(([, name]) => name);

  expect(described).toEqual(expect.arrayContaining([...behaviours.keys()]));
});

async function temporaryFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'pid');
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const holder = start('http-500');
  const { port } = new URL(await holder.url());
  holder.signal('SIGKILL');
  await holder.exited;
  return Number(port);
}

async function connectTcp(port: number): Promise<void> {
  await new Promise((resolve, reject) => {
    createConnection(port, '127.0.0.1').on('connect', resolve).on('error', reject);
  });
}
