import { expect, it } from 'vitest';
import { type ContainerSpec, type CopyRef, mcpError, type RunRequest, Secret } from '../plugin.js';
import { fakeProvider, type FakeProviderOptions } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { recordingLogger } from './recording-logger.js';
import { remote } from './fake-kinds.fixture.js';

const spec: ContainerSpec = { type: 'docker', image: 'mcp/test' };
const grace = { graceMs: 5_000 };

async function opened(options: FakeProviderOptions = {}) {
  const clock = manualClock();
  const provider = fakeProvider({ clock, ...options });
  await provider.open({ fleet: 'f', storeId: 's', logger: recordingLogger() });
  return { clock, provider };
}

function copyOf(revision = 1): CopyRef {
  return { instanceId: 'i-1', revision, slug: 'one-1234' };
}

function request(change: Partial<RunRequest<ContainerSpec>> = {}): RunRequest<ContainerSpec> {
  return {
    copy: copyOf(),
    spec,
    instanceName: 'one',
    labels: {},
    environment: async () => ({ TOKEN: new Secret('abc'), MODE: 'x' }),
    secrets: () => Promise.reject(mcpError('INTERNAL', 'Nobody asks for secrets here.')),
    onProgress: () => undefined,
    ...change,
  };
}

it('makes a copy once, and asks for its environment only then', async () => {
  const { provider } = await opened();
  let asked = 0;
  const counted = request({
    environment: async () => {
      asked += 1;
      return {};
    },
  });
  expect(await provider.observe(copyOf())).toEqual({ state: 'absent' });
  const [first] = await Promise.all([provider.ensureRunning(counted), provider.ensureRunning(counted)]);
  expect(first).toMatchObject({ state: 'running', endpoint: { transport: 'stdio' } });
  expect(provider.copies()).toHaveLength(1);
  const soFar = asked;
  await provider.ensureRunning(counted);
  provider.crash('one');
  expect(await provider.observe(copyOf())).toMatchObject({ state: 'exited', exit: { exitCode: 1 } });
  expect(await provider.ensureRunning(counted)).toMatchObject({ state: 'running' });
  expect(asked).toBe(soFar);
});

it('makes nothing when it is aborted meanwhile', async () => {
  const { provider } = await opened();
  const ended = new AbortController();
  const start = provider.ensureRunning(
    request({
      environment: async () => {
        ended.abort();
        return {};
      },
    }),
    { signal: ended.signal },
  );
  await expect(start).rejects.toMatchObject({ code: 'ABORTED' });
  expect(provider.copies()).toEqual([]);
  await expect(provider.observe(copyOf(), { signal: ended.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
});

it('keeps a stopped copy with its logs and removes a destroyed one', async () => {
  const { provider } = await opened();
  await provider.ensureRunning(request());
  provider.crash('one', { lines: ['a', 'b'], signal: 'SIGSEGV' });
  await provider.ensureRunning(request());
  await provider.ensureStopped(copyOf(), grace);
  expect(await provider.observe(copyOf())).toMatchObject({
    state: 'exited',
    exit: { exitCode: 0, signal: null, lastLogLines: ['a', 'b'] },
  });
  const lines: string[] = [];
  for await (const { text } of provider.logs!(copyOf(), { tail: 1 })) lines.push(text);
  expect(lines).toEqual(['b']);
  await provider.destroy(copyOf(), grace);
  await provider.destroy(copyOf(), grace);
  await provider.ensureStopped(copyOf(), grace);
  expect(await provider.observe(copyOf())).toEqual({ state: 'absent' });
  expect(provider.holdings()).toEqual([]);
});

it('kills what hangs only after its grace', async () => {
  const { provider, clock } = await opened();
  await provider.ensureRunning(request());
  provider.hang('one');
  const stopped = provider.ensureStopped(copyOf(), grace);
  await clock.advance(4_999);
  expect(await provider.observe(copyOf())).toMatchObject({ state: 'running' });
  await clock.advance(1);
  await stopped;
  expect(await provider.observe(copyOf())).toMatchObject({ exit: { exitCode: null, signal: 'SIGKILL' } });
  expect(clock.pending).toBe(0);
});

it('leaves what hangs running when the stop is aborted', async () => {
  const { provider, clock } = await opened();
  await provider.ensureRunning(request());
  provider.hang('i-1');
  const ended = new AbortController();
  const stop = expect(provider.destroy(copyOf(), grace, { signal: ended.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  await clock.advance(1_000);
  ended.abort();
  await stop;
  expect(await provider.observe(copyOf())).toMatchObject({ state: 'running' });
  expect(clock.pending).toBe(0);
});

it('speaks over a channel that one owner has at a time', async () => {
  const { provider } = await opened({ tools: { token: (_args, { environment }) => environment['TOKEN'] } });
  await provider.ensureRunning(request());
  const dial = async () => {
    const dialed = await provider.dial({ copy: copyOf(), spec, secrets: request().secrets });
    if (dialed.kind !== 'stdio') throw mcpError('INTERNAL', 'Expected a channel.');
    let text = '';
    let ended = false;
    dialed.channel.output.on('data', (chunk: Buffer) => (text += chunk.toString()));
    dialed.channel.output.on('end', () => (ended = true));
    return { channel: dialed.channel, said: () => text, ended: () => ended };
  };
  const first = await dial();
  first.channel.input.write('{"jsonrpc":"2.0","id":1,"method":"tools/call",');
  first.channel.input.write('"params":{"name":"token"}}\n');
  await turns();
  expect(JSON.parse(first.said())).toMatchObject({ id: 1, result: { content: [{ text: 'abc' }] } });
  const second = await dial();
  await turns();
  expect(first.ended()).toBe(true);
  second.channel.input.write('{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
  await turns();
  expect(JSON.parse(second.said())).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
  expect(provider.holdings()).toHaveLength(2);
  first.channel.close();
  first.channel.close();
  expect(provider.holdings()).toEqual([{ what: 'a channel to mcp-one-1234-r1', usual: true }]);
  provider.crash('one');
  await turns();
  expect(second.ended()).toBe(true);
  expect(provider.holdings()).toEqual([{ what: 'a channel to mcp-one-1234-r1', usual: false }]);
  second.channel.close();
  expect(provider.holdings()).toEqual([]);
  await expect(dial()).rejects.toMatchObject({ code: 'INSTANCE_NOT_READY' });
});

it('hints at crashes to every watcher, until it leaves', async () => {
  const { provider } = await opened();
  await provider.ensureRunning(request());
  const heard: CopyRef[] = [];
  const listener = (copy: CopyRef) => void heard.push(copy);
  const offs = [provider.watch!(listener), provider.watch!(listener)];
  provider.crash('one');
  expect(heard).toEqual([copyOf(), copyOf()]);
  for (const off of [...offs, ...offs]) off();
  expect(provider.holdings()).toEqual([]);
  expect(() => provider.crash('one')).toThrow(/No copy of "one" runs/u);
});

it('lists what carries its fleet, whatever the store', async () => {
  const { provider } = await opened();
  await provider.ensureRunning(request());
  await provider.close();
  await provider.open({ fleet: 'f', storeId: 'other', logger: recordingLogger() });
  await provider.ensureRunning(request({ copy: copyOf(2) }));
  expect((await provider.list()).map(({ copy, storeId }) => [copy.revision, storeId])).toEqual([
    [1, 's'],
    [2, 'other'],
  ]);
  await provider.open({ fleet: 'g', storeId: 's', logger: recordingLogger() });
  expect(await provider.list()).toEqual([]);
});

it('takes the documents of its type and asks over MCP whether a server lives', () => {
  const health_check = '/health';
  expect(fakeProvider().specSchema.parse({ ...spec, port: 80, health_check })).toMatchObject({
    port: 80,
    health_check: { type: 'mcp' },
  });
  const tcp = { type: 'tcp', interval: 5 };
  expect(fakeProvider().specSchema.parse({ ...spec, port: 80, health_check: tcp })).toMatchObject({
    health_check: { type: 'mcp', interval: 5 },
  });
  expect(fakeProvider().specSchema.safeParse({ ...spec, imagee: 'x' }).success).toBe(false);
  expect(
    fakeProvider(remote).specSchema.safeParse({ type: 'remote', endpoint: 'https://a.example' }).success,
  ).toBe(true);
});

it('refuses options it does not have', () => {
  expect(() => fakeProvider({ tool: {} } as FakeProviderOptions)).toThrow(
    /takes of, placement, tools, clock/u,
  );
});

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
