import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { remote } from './fake-kinds.fixture.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('runs documents of several types, each on its own fake', async () => {
  const clock = manualClock();
  const tools = { type: (_args: unknown, { instanceId }: { instanceId: string }) => instanceId };
  const containers = fakeProvider({ clock, tools });
  const remotes = fakeProvider({ ...remote, clock, tools });
  await using t = await createTestInfra({ clock, providers: [containers, remotes] });
  await t.infra.instances.create({ name: 'here', jsonSpec: docker });
  const there = await t.infra.instances.create({
    name: 'there',
    jsonSpec: { type: 'remote', endpoint: 'https://mcp.example.com' },
  });
  await t.settle();
  expect(containers.copies().map(({ instanceName }) => instanceName)).toEqual(['here']);
  expect(remotes.copies().map(({ instanceName }) => instanceName)).toEqual(['there']);
  await t.infra.instances.callTool(there.id, 'type');
  t.crash('there');
  await t.settle();
  expect(await t.infra.instances.callTool(there.id, 'type')).toMatchObject({ content: [{ text: there.id }] });
  t.crash('here');
  await t.settle();
  const { items } = await t.infra.instances.list({ name: 'here' });
  expect(items).toMatchObject([{ status: 'running', statusDetail: { restartCount: 1 } }]);
});

it('says what still moves although no time passes', async () => {
  await using t = await createTestInfra();
  const ending = new AbortController();
  const reading = (async () => {
    while (!ending.signal.aborted) {
      await t.infra.instances.count();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await expect(t.settle()).rejects.toMatchObject({
    code: 'NOT_SETTLED',
    message: expect.stringMatching(/Moved most: .*store\.instances\.count/u) as unknown,
  });
  ending.abort();
  await reading;
}, 20_000);

it('does not take a timer that is always due for rest', async () => {
  await using t = await createTestInfra();
  let moving = true;
  const again = (): void => {
    if (moving) t.infra.instances.count().then(() => t.clock.schedule(0, again), again);
  };
  again();
  await expect(t.settle()).rejects.toMatchObject({ code: 'NOT_SETTLED' });
  moving = false;
}, 20_000);

it('lists what is left over', async () => {
  const t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(await t.leaks()).toEqual([]);
  const [copy] = t.provider.copies();
  await t.provider.ensureRunning({
    copy: { ...copy!.copy, revision: 7 },
    spec: docker,
    instanceName: 'one',
    labels: {},
    environment: async () => ({}),
    secrets: () => Promise.reject(new Error('not asked')),
    onProgress: () => undefined,
  });
  const off = t.provider.watch!(() => undefined);
  t.clock.schedule(1e9, () => undefined);
  expect(await t.leaks()).toEqual([
    expect.stringMatching(/r7 \(running\) is of a revision that its instance "one" no longer has/u),
  ]);
  await t.infra.instances.delete(id);
  await t.settle();
  expect(await t.leaks()).toEqual([
    expect.stringMatching(/r7 \(running\) is there although its instance "one" is not/u),
  ]);
  await t.stop();
  off();
  expect(await t.leaks()).toEqual([
    expect.stringMatching(/r7 \(running\) is there although/u),
    '1 timer(s) are still scheduled after the stop.',
  ]);
});

it('records what happened, in order, also by type', async () => {
  await using t = await createTestInfra();
  await t.infra.servers.register({ name: 'fs' });
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(
    t
      .recordedEvents()
      .slice(0, 2)
      .map(({ type }) => type),
  ).toEqual(['MCPServerCreated', 'MCPServerInstanceCreated']);
  const [event] = t.recordedEvents('MCPServerInstanceCreated');
  expect(event?.data.jsonSpec).toEqual(docker);
  expect(t.logger.lines.map(({ message }) => message)).toContain('instance status changed');
});

it('keeps the secrets of its servers out of what it shows of them', async () => {
  await using t = await createTestInfra();
  await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: 'canary-value' } },
  });
  await t.settle();
  expect(JSON.stringify(t.provider.copies())).not.toContain('canary-value');
});

it('refuses providers it can do nothing to, and tools it would not use', async () => {
  const provider = fakeProvider();
  await expect(createTestInfra({ providers: [provider], tools: {} })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
  });
  await expect(createTestInfra({ providers: [] })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
});

it('goes on working when an hour passes', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'steady', jsonSpec: docker });
  await t.advance(3_600_000);
  t.crash('steady');
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { restartCount: 1 },
  });
});
