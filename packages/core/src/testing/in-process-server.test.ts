import { expect, it } from 'vitest';
import type { ProtocolEraChoice } from '../plugin.js';
import { InProcessServer } from './in-process-server.js';
import type { TestTools } from './tools.js';

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

function serve(era: ProtocolEraChoice, given: TestTools = {}) {
  const sent: Record<string, unknown>[] = [];
  const logged: string[] = [];
  const server = new InProcessServer({
    name: 'one',
    era,
    tools: () => given,
    context: { environment: { A: '1' }, instanceId: 'i-1', log: (line) => void logged.push(line) },
    write: (line) => void sent.push(JSON.parse(line) as Record<string, unknown>),
  });
  const tell = async (message: object): Promise<void> => {
    server.receive(JSON.stringify({ jsonrpc: '2.0', ...message }));
    await new Promise((resolve) => setImmediate(resolve));
  };
  const ask = async (method: string, params?: object): Promise<Record<string, unknown>> => {
    await tell({ id: sent.length + 1, method, params });
    return sent.at(-1) ?? {};
  };
  return { server, sent, logged, tell, ask };
}

it('greets a client of the legacy era, pings and lists its tools', async () => {
  const { ask } = serve('legacy', {
    plain: () => 1,
    described: { description: 'Adds.', inputSchema: { type: 'object', required: ['a'] }, handler: () => 2 },
  });
  expect(await ask('initialize', { protocolVersion: '2025-06-18' })).toMatchObject({
    result: {
      protocolVersion: '2025-06-18',
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'one', version: '1.0.0' },
    },
  });
  expect(await ask('initialize', { protocolVersion: '1999-01-01' })).toMatchObject({
    result: { protocolVersion: '2025-11-25' },
  });
  expect(await ask('ping')).toMatchObject({ result: {} });
  expect(await ask('tools/list')).toMatchObject({
    result: {
      tools: [
        { name: 'plain', inputSchema: { type: 'object' } },
        { name: 'described', description: 'Adds.', inputSchema: { type: 'object', required: ['a'] } },
      ],
    },
  });
  expect(await ask('server/discover')).toMatchObject({ error: { code: -32601 } });
  expect(await ask('resources/list')).toMatchObject({ error: { code: -32601 } });
});

it('answers the stateless revision only with its envelope, and nothing of the legacy era', async () => {
  const { ask } = serve('modern', { one: () => 'x' });
  const { result } = await ask('server/discover', { _meta: envelope });
  expect(result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true } },
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'one' } },
  });
  expect(await ask('initialize', { protocolVersion: '2025-11-25' })).toMatchObject({
    error: { code: -32022, data: { supported: ['2026-07-28'] } },
  });
  expect(await ask('ping', { _meta: envelope })).toMatchObject({ error: { code: -32601 } });
  expect(
    await ask('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
  ).toMatchObject({ error: { code: -32602 } });
  expect(await ask('tools/call', { name: 'one', _meta: envelope })).toMatchObject({
    result: { resultType: 'complete', content: [{ type: 'text', text: 'x' }] },
  });
});

it('speaks both eras where it is to be found out', async () => {
  const { ask } = serve('auto');
  expect(await ask('initialize', { protocolVersion: '2025-11-25' })).toHaveProperty('result');
  expect(await ask('server/discover', { _meta: envelope })).toHaveProperty('result');
  expect(await ask('server/discover')).toHaveProperty('error');
});

it('makes a result of whatever a tool returns or throws', async () => {
  const whole = { content: [{ type: 'image', data: '', mimeType: 'image/png' }], isError: true };
  const { ask } = serve('legacy', {
    text: () => 'hello',
    object: () => Promise.resolve({ a: 1 }),
    list: () => [1, 2],
    nothing: () => undefined,
    whole: () => whole,
    broken: () => {
      throw new Error('out of order');
    },
    rejects: () => Promise.reject(new Error('later')),
  });
  const call = async (name: string) => (await ask('tools/call', { name, arguments: {} }))['result'];
  const text = (line: string) => [{ type: 'text', text: line }];
  expect(await call('text')).toEqual({ content: text('hello') });
  expect(await call('object')).toEqual({ content: text('{"a":1}'), structuredContent: { a: 1 } });
  expect(await call('list')).toEqual({ content: text('[1,2]') });
  expect(await call('nothing')).toEqual({ content: [] });
  expect(await call('whole')).toEqual(whole);
  expect(await call('broken')).toEqual({ content: text('out of order'), isError: true });
  expect(await call('rejects')).toEqual({ content: text('later'), isError: true });
  expect(await ask('tools/call', { name: 'toString' })).toMatchObject({ error: { code: -32602 } });
});

it('tells a handler its arguments, environment and instance, and takes its log lines', async () => {
  const { ask, logged } = serve('legacy', {
    look: (args, { environment, instanceId, log }) => {
      log('looking');
      return { args, environment, instanceId };
    },
  });
  expect(await ask('tools/call', { name: 'look', arguments: { x: 1 } })).toMatchObject({
    result: { structuredContent: { args: { x: 1 }, environment: { A: '1' }, instanceId: 'i-1' } },
  });
  expect(logged).toEqual(['looking']);
});

it('aborts a cancelled call and does not answer it', async () => {
  let signal: AbortSignal | undefined;
  const { tell, sent } = serve('legacy', {
    slow: (_args, context) => {
      signal = context.signal;
      return new Promise((resolve) => context.signal.addEventListener('abort', () => resolve('late')));
    },
  });
  await tell({ id: 7, method: 'tools/call', params: { name: 'slow' } });
  await tell({ method: 'notifications/cancelled', params: { requestId: 7 } });
  expect(signal?.aborted).toBe(true);
  expect(sent).toEqual([]);
});

it('says that its tools changed to whoever can hear it', async () => {
  const legacy = serve('legacy');
  legacy.server.tellToolsChanged();
  expect(legacy.sent).toEqual([]);
  await legacy.ask('initialize', {});
  legacy.server.tellToolsChanged();
  expect(legacy.sent.at(-1)).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });

  const modern = serve('modern');
  const params = { notifications: { toolsListChanged: true }, _meta: envelope };
  await modern.tell({ id: 's', method: 'subscriptions/listen', params });
  modern.server.tellToolsChanged();
  const tagged = { _meta: { 'io.modelcontextprotocol/subscriptionId': 's' } };
  expect(modern.sent).toMatchObject([
    { method: 'notifications/subscriptions/acknowledged', params: tagged },
    { method: 'notifications/tools/list_changed', params: tagged },
  ]);
  await modern.tell({ method: 'notifications/cancelled', params: { requestId: 's' } });
  modern.server.tellToolsChanged();
  expect(modern.sent).toHaveLength(2);
});

it('skips what is no message', async () => {
  const { server, sent } = serve('legacy');
  for (const line of ['', 'garbage', '[]', '{"id":1}', '{"jsonrpc":"2.0","id":{},"method":"ping"}'])
    server.receive(line);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([]);
});
