import { expect, it } from 'vitest';
import { memoryEventBus, memoryStore } from '../index.js';
import { type ContainerSpec, mcpError, type RunRequest } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { local, remote } from './fake-kinds.fixture.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('is degraded while an engine is away, says so once, and goes on when it is back', async () => {
  const clock = manualClock();
  let away = true;
  const fake = fakeProvider({ clock });
  const provider = altered(fake, {
    placement: async (options) => {
      if (away) throw mcpError('PLACEMENT_UNREACHABLE', 'The engine does not answer.');
      return fake.placement(options);
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.advance(60_000);
  expect((await t.infra.instances.get(id)).status).toBe('pending');
  expect(await t.infra.health()).toMatchObject({
    status: 'degraded',
    degraded: [{ part: 'provider:docker' }],
  });
  expect(t.recordedEvents('FleetDegraded')).toHaveLength(1);
  away = false;
  await t.advance(6_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect((await t.infra.health()).status).toBe('ok');
  expect(t.recordedEvents('FleetRecovered')).toHaveLength(1);
});

it('keeps a running instance running while its engine cannot be asked', async () => {
  const clock = manualClock();
  let away = false;
  const fake = fakeProvider({ clock });
  const provider = altered(fake, {
    observe: async (copy, options) => {
      if (away) throw mcpError('PLACEMENT_UNREACHABLE', 'The engine does not answer.');
      return fake.observe(copy, options);
    },
    list: async (options) => {
      if (away) throw mcpError('PLACEMENT_UNREACHABLE', 'The engine does not answer.');
      return fake.list(options);
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  away = true;
  t.crash('one');
  await t.advance(90_000);
  const lost = await t.infra.instances.get(id);
  expect(['running', 'unhealthy']).toContain(lost.status);
  expect(await t.infra.health()).toMatchObject({ status: 'degraded' });
  away = false;
  await t.advance(120_000);
  expect(await t.infra.instances.get(id)).toMatchObject({ status: 'running', statusDetail: { reason: '' } });
  expect((await t.infra.health()).status).toBe('ok');
});

it('shows the pull, with its progress, and holds up nobody else by it', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const pulls: (() => void)[] = [];
  const provider = altered(fake, {
    prepare: async ({ spec, onProgress }: RunRequest<ContainerSpec>) => {
      if (spec.image !== 'mcp/big') return;
      onProgress({ phase: 'pulling', image: spec.image, completedBytes: 1, totalBytes: 10 });
      await new Promise<void>((resolve) => pulls.push(resolve));
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const big = await t.infra.instances.create({ name: 'big', jsonSpec: { ...docker, image: 'mcp/big' } });
  await t.settle();
  expect((await t.infra.instances.get(big.id)).status).toBe('pulling');
  const small = await t.infra.instances.create({ name: 'small', jsonSpec: docker });
  await t.settle();
  expect((await t.infra.instances.get(small.id)).status).toBe('running');
  pulls[0]?.();
  await t.settle();
  expect((await t.infra.instances.get(big.id)).status).toBe('running');
  expect(t.recordedEvents('MCPServerInstancePullProgress')[0]?.data).toMatchObject({
    image: 'mcp/big',
    totalBytes: 10,
  });
});

it('stops the old copy first where two cannot run side by side, and starts it again after a failure', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock, tools: { mode: (_args, { environment }) => environment['MODE'] } });
  await using t = await createTestInfra({
    clock,
    providers: [altered(fake, { canOverlap: () => false })],
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'old' } },
  });
  await t.settle();
  t.failNextStart('IMAGE_NOT_FOUND', 'no such tag');
  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'bad' } } });
  await t.advance(5_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'old' }] });
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('UPDATE_ROLLED_BACK');

  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'good' } } });
  await t.settle();
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'good' }] });
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('');
  expect(fake.copies()).toHaveLength(1);
  expect(await t.leaks()).toEqual([]);
});

it('removes a copy that no instance speaks of once it is old enough', async () => {
  await using t = await createTestInfra();
  await t.provider.ensureRunning(strayRequest('stray'));
  await t.settle();
  expect(await t.leaks()).toEqual([expect.stringContaining('mcp-stray-r1')]);
  await t.advance(45_000);
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
});

it('removes nothing when it would be most of what there is, and says so', async () => {
  await using t = await createTestInfra();
  for (let n = 0; n < 6; n++) await t.provider.ensureRunning(strayRequest(`stray-${n}`));
  await t.advance(60_000);
  expect(t.provider.copies()).toHaveLength(6);
  expect(t.recordedEvents('FleetDegraded')[0]?.data).toMatchObject({ reason: 'ORPHANS_SUSPECT' });
  expect((await t.infra.collect({ force: true })).removed).toHaveLength(6);
  expect(t.provider.copies()).toEqual([]);
  await t.advance(30_000);
  expect((await t.infra.health()).status).toBe('ok');
});

it('counts copies that are still young when it looks whether it would remove most of what there is', async () => {
  await using t = await createTestInfra();
  for (let n = 0; n < 4; n++) await t.provider.ensureRunning(strayRequest(`old-${n}`));
  await t.advance(25_000);
  for (let n = 0; n < 3; n++) await t.provider.ensureRunning(strayRequest(`young-${n}`));
  await t.advance(60_000);
  expect(t.provider.copies()).toHaveLength(7);
  expect(t.recordedEvents('FleetDegraded')[0]?.data).toMatchObject({ reason: 'ORPHANS_SUSPECT' });
});

it('finds a crash of which it was not told at the next comparison', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  await using t = await createTestInfra({
    clock,
    providers: [altered(fake, { watch: () => () => undefined })],
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, health_check: { interval: 3_600 } },
  });
  await t.settle();
  t.crash('one');
  await t.advance(31_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { restartCount: 1 },
  });
});

it('starts again in another process what ended with its worker, without counting a crash', async () => {
  const clock = manualClock();
  const provider = fakeProvider({ ...local, clock });
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const directory = mkdtempSync(join(tmpdir(), 'mcpinfra-'));
  const open = () =>
    createTestInfra({
      clock,
      providers: [provider],
      store: memoryStore({ file: join(directory, 's.json'), clock }),
    });
  try {
    const before = await open();
    const spec = { type: 'local', command: ['server'] } as const;
    const { id } = await before.infra.instances.create({ name: 'one', jsonSpec: spec });
    await before.settle();
    await before.stop();
    expect(provider.copies()).toEqual([]);
    const after = await open();
    expect(await after.infra.instances.get(id)).toMatchObject({
      status: 'running',
      statusDetail: { restartCount: 0, lastExit: null },
    });
    await after.stop();
    expect(await after.leaks()).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('does not restart a server that runs elsewhere, and sees it recover', async () => {
  const clock = manualClock();
  const provider = fakeProvider({ ...remote, clock });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const spec = { type: 'remote', endpoint: 'https://mcp.example.com/mcp' } as const;
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: spec });
  await t.settle();
  t.hang('one');
  await t.advance(300_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'unhealthy',
    statusDetail: { restartCount: 0 },
  });
  t.unhang('one');
  await t.advance(160_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('publishes every event once the bus is back, and meanwhile hears of them from the log', async () => {
  const bus = memoryEventBus();
  let away = false;
  const published: string[] = [];
  await using t = await createTestInfra({
    events: {
      specificationVersion: 'v1',
      open: (context) => bus.open(context),
      close: () => bus.close(),
      subscribe: (subscription, handler) => bus.subscribe(subscription, handler),
      publish: async (events) => {
        if (away) throw mcpError('EVENT_BUS_FAILED', 'The bus is away.');
        published.push(...events.map(({ id }) => id));
        await bus.publish(events);
      },
    },
  });
  away = true;
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(t.recordedEvents('MCPServerInstanceStatusChanged').at(-1)?.data.to).toBe('running');
  expect(published).toEqual([]);
  expect((await t.infra.health()).status).toBe('degraded');
  away = false;
  await t.advance(6_000);
  expect(published).toEqual(t.recordedEvents().map(({ id }) => id));
  expect((await t.infra.health()).status).toBe('ok');
});

it('follows the logs until the reader leaves', async () => {
  await using t = await createTestInfra({
    tools: { say: ({ line }, { log }) => log(String(line)) },
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const seen: string[] = [];
  const leaving = new AbortController();
  const reading = (async () => {
    for await (const { text } of t.infra.instances.logs(id, { follow: true }, { signal: leaving.signal }))
      seen.push(text);
  })();
  for (const line of ['a', 'b']) await t.infra.instances.callTool(id, 'say', { line });
  await t.settle();
  expect(seen).toEqual(['a', 'b']);
  leaving.abort();
  await reading;
  await t.settle();
  expect(t.provider.holdings().filter(({ what }) => what.includes('logs'))).toEqual([]);
});

it('gives a client a session of its own', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const [a, b] = [await t.infra.instances.connect(id), await t.infra.instances.connect(id)];
  expect((await a.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
  expect((await b.callTool({ name: 'echo', arguments: { b: 1 } })).structuredContent).toEqual({ b: 1 });
  await a.close();
  expect((await b.callTool({ name: 'echo', arguments: { b: 2 } })).structuredContent).toEqual({ b: 2 });
  await b.close();
});

it('tells a cancelled call to the tool', async () => {
  let aborted = false;
  await using t = await createTestInfra({
    tools: {
      slow: (_args, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve('late');
          });
        }),
    },
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const leaving = new AbortController();
  const call = expect(
    t.infra.instances.callTool(id, 'slow', {}, { signal: leaving.signal }),
  ).rejects.toMatchObject({
    code: 'ABORTED',
  });
  await t.settle();
  leaving.abort();
  await call;
  await t.settle();
  expect(aborted).toBe(true);
});

it('ends calls in flight at its stop, after the time to drain', async () => {
  const t = await createTestInfra({ tools: { work: () => new Promise(() => undefined) } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const call = expect(t.infra.instances.callTool(id, 'work')).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  });
  await t.settle();
  await t.stop();
  await call;
  expect(await t.leaks()).toEqual([]);
});

it('removes its copies at its stop where it was told to', async () => {
  const t = await createTestInfra({ onStop: 'destroy' });
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.stop();
  expect(t.provider.copies()).toEqual([]);
});

it('lets calls in flight end before it removes their copies', async () => {
  const clock = manualClock();
  const work = (): Promise<string> =>
    new Promise((resolve) => void clock.schedule(1_000, () => resolve('done')));
  const t = await createTestInfra({ clock, onStop: 'destroy', tools: { work } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const call = t.infra.instances.callTool(id, 'work');
  await t.settle();
  await t.stop();
  expect((await call).content).toEqual([{ type: 'text', text: 'done' }]);
  expect(t.provider.copies()).toEqual([]);
});

it('stops in the middle of starts that hang, with nothing held', async () => {
  const t = await createTestInfra();
  t.hang('one');
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.stop();
  expect(await t.leaks()).toEqual([]);
});

function strayRequest(slug: string): RunRequest<ContainerSpec> {
  return {
    copy: { instanceId: `id-of-${slug}`, revision: 1, slug },
    spec: docker,
    instanceName: slug,
    labels: {},
    environment: async () => ({}),
    secrets: () => Promise.reject(mcpError('INTERNAL', 'Nobody asks for secrets here.')),
    onProgress: () => undefined,
  };
}
