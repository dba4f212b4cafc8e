import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixtureServer } from '../src/index.js';
import { callText, connectHttp, connectStdio, connectTo, createClient, type Era } from './support/clients.js';
import { eventually } from './support/eventually.js';
import { ServerProcess } from './support/server-process.js';

const surfaces = [
  ['legacy', 'stdio'],
  ['legacy', 'http'],
  ['modern', 'stdio'],
  ['modern', 'http'],
] as const;

describe.each(surfaces)('a %s client over %s', (era, over) => {
  const connected = async (options = {}) => {
    const client = createClient(era, options);
    await connectTo(fixtureServer, over, client);
    expect(client.getProtocolEra()).toBe(era);
    return client;
  };

  test('calls tools of one process', async () => {
    const client = await connected();

    expect(await callText(client, 'echo', { text: 'grüße' })).toBe('grüße');
    expect(await callText(client, 'env', { name: 'NO_SUCH_NAME' })).toBe('NO_SUCH_NAME is unset');
    expect(await callText(client, 'pid')).toMatch(/^\d+$/);
    expect([await callText(client, 'counter'), await callText(client, 'counter')]).toEqual(['1', '2']);
    expect(await callText(client, 'big', { bytes: 2_000_000 })).toHaveLength(2_000_000);
    expect(await callText(client, 'grow', { megabytes: 2 })).toBe('holding 2 MB');
  });

  test('hears the progress of a long call', async () => {
    const client = await connected();
    const heard: number[] = [];

    await client.callTool(
      { name: 'sleep', arguments: { ms: 100 } },
      { onprogress: ({ progress }) => void heard.push(progress) },
    );

    // The SDK's client forgets the last one when it arrives together with the answer.
    expect(heard.slice(0, 9)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  test('cancels a long call in the server too', async () => {
    const client = await connected();
    const abort = new AbortController();

    const call = client.callTool(
      { name: 'sleep', arguments: { ms: 60_000 } },
      { signal: abort.signal, onprogress: () => abort.abort(), timeout: 60_000 },
    );

    await expect(call).rejects.toThrow();
    await expect.poll(() => callText(client, 'cancellations'), eventually).toBe('1');
  });

  test('reads resources and fills templates', async () => {
    const client = await connected();

    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: 'test://template/42/data' });

    expect(resources.map(({ uri }) => uri)).toEqual([
      'test://static-text',
      'test://static-binary',
      'test://watched-resource',
    ]);
    expect(contents).toEqual([
      expect.objectContaining({ text: expect.stringContaining('"id":"42"') as string }),
    ]);
    await expect(client.readResource({ uri: 'test://nowhere' })).rejects.toThrow();
  });

  test('is told of a tool that came and of a resource that changed', async () => {
    const client = await connected();
    const told: string[] = [];
    client.setNotificationHandler('notifications/tools/list_changed', () => void told.push('tools'));
    client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void told.push(params.uri),
    );
    await listenTo(client, era);

    const name = await callText(client, 'list_changed');
    await callText(client, 'touch');

    await expect.poll(() => told, eventually).toEqual(['tools', 'test://watched-resource']);
    expect(await callText(client, name)).toBe(name);
    const { contents } = await client.readResource({ uri: 'test://watched-resource' });
    expect(contents).toEqual([expect.objectContaining({ text: 'revision 1' })]);
  });

  test('is asked by a tool', async () => {
    const client = await connected({ capabilities: { sampling: {}, elicitation: {} } });
    client.setRequestHandler('sampling/createMessage', () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'Paris' },
    }));
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));

    expect(await callText(client, 'test_sampling', { prompt: 'capital?' })).toContain('Paris');
    expect(await callText(client, 'test_input_required_result_elicitation')).toBe('Hello, Ada!');
  });

  test('sees the process die', async () => {
    const client = await connected();

    await expect(client.callTool({ name: 'crash', arguments: { code: 3 } })).rejects.toThrow();
  });
});

async function listenTo(client: ReturnType<typeof createClient>, era: Era): Promise<void> {
  const uri = 'test://watched-resource';
  if (era === 'legacy') await client.subscribeResource({ uri });
  else await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
}

test('the built file runs alone, without a package around it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fixture-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const copy = join(directory, 'fixture-server.js');
  await copyFile(fixtureServer, copy);
  const client = createClient('legacy');

  await connectStdio(client, [copy, '--stdio']);

  expect(await callText(client, 'echo', { text: 'alone' })).toBe('alone');
});

test('a call of crash ends the process with its code', async () => {
  const server = new ServerProcess(fixtureServer, ['--stdio', '--era', 'legacy']);

  server.write({ id: 1, method: 'tools/call', params: { name: 'crash', arguments: { code: 7 } } });

  expect(await server.exited).toEqual({ code: 7, signal: null });
  expect(server.stderr).toContain('exiting with code 7');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in peace', async (signal) => {
  const server = new ServerProcess(fixtureServer, ['--http']);
  await server.url();

  server.signal(signal);

  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test('the end of stdin ends it, in the middle of a call too', async () => {
  const server = new ServerProcess(fixtureServer, ['--stdio', '--era', 'legacy']);
  server.write({ id: 1, method: 'tools/call', params: { name: 'sleep', arguments: { ms: 60_000 } } });
  server.write({ id: 2, method: 'tools/call', params: { name: 'pid' } });
  await server.message({ id: 2 });

  server.closeStdin();

  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test.each([
  [[], 'exactly one of --stdio and --http'],
  [['--stdio', '--era', 'future'], "got 'future'"],
  [['--http', '--port', '70000'], "got '70000'"],
  [['--http', '--colour'], '--colour'],
])('the arguments %j are refused with a reason', async (argv, reason) => {
  const server = new ServerProcess(fixtureServer, argv);

  expect(await server.exited).toEqual({ code: 2, signal: null });
  expect(server.stderr).toContain(reason);
});

test.each([
  ['legacy', 'modern'],
  ['modern', 'legacy'],
] as const)('--era %s turns a %s client away', async (served, era) => {
  const url = await new ServerProcess(fixtureServer, ['--http', '--era', served]).url();

  await expect(connectHttp(createClient(era), url)).rejects.toThrow();
  await expect(
    connectStdio(createClient(era), [fixtureServer, '--stdio', '--era', served]),
  ).rejects.toThrow();
});
