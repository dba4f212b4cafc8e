import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 1 } } as const;

it('calls what fails three probes unhealthy, restarts it, and serves again', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.hang('one');
  // Three intervals of 30 s and timeouts of 10 s, whatever the spread of the first.
  await t.advance(50_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(80_000);
  t.unhang('one');
  await t.advance(2_000);
  const statuses = t
    .recordedEvents('MCPServerInstanceStatusChanged')
    .map(({ data }) => `${data.to} ${data.reason}`);
  expect(statuses).toContain('unhealthy REQUEST_TIMEOUT');
  expect(statuses).toContain('failed UNHEALTHY');
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { health: { state: 'healthy' } },
  });
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
  await t.infra.instances.callTool(id, 'echo', { a: 1 });
  expect(await t.leaks()).toEqual([]);
});

it('writes nothing while nothing changes', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const { resourceVersion } = await t.infra.instances.get(id);
  const events = t.recordedEvents().length;
  await t.advance(3_600_000);
  expect((await t.infra.instances.get(id)).resourceVersion).toBe(resourceVersion);
  expect(t.recordedEvents()).toHaveLength(events);
});

it('holds a restart back while a call is in flight, until it has been silent for its busy_timeout', async () => {
  await using t = await createTestInfra({
    callTimeoutMs: 3_600_000,
    tools: { work: () => new Promise(() => undefined) },
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { busy_timeout: 300 } },
  });
  await t.settle();
  const outcome = expect(t.infra.instances.callTool(id, 'work')).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  });
  await t.settle();
  t.hang('one');
  await t.advance(130_000);
  expect((await t.infra.instances.get(id)).status).toBe('unhealthy');
  await t.advance(165_000);
  expect((await t.infra.instances.get(id)).status).toBe('unhealthy');
  await t.advance(10_000);
  await outcome;
  t.unhang('one');
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(t.recordedEvents('MCPServerInstanceStatusChanged').map(({ data }) => data.reason)).toContain(
    'UNHEALTHY',
  );
});

it('says that tools changed, with which came, went and are others now', async () => {
  await using t = await createTestInfra({ tools: { kept: () => 1, changed: () => 1, gone: () => 1 } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  expect(t.recordedEvents('MCPServerInstanceToolsChanged')).toEqual([]);
  t.provider.changeTools({
    kept: () => 1,
    changed: { description: 'Better.', handler: () => 2 },
    added: () => 1,
  });
  await t.settle();
  const [event, ...more] = t.recordedEvents('MCPServerInstanceToolsChanged');
  expect(more).toEqual([]);
  expect(event?.data).toMatchObject({ added: ['added'], removed: ['gone'], changed: ['changed'] });
  expect((await t.infra.instances.tools(id)).map(({ name }) => name)).toEqual(['kept', 'changed', 'added']);
});

it('hears of changed tools in both eras', async () => {
  await using t = await createTestInfra({ tools: { one: () => 1 } });
  const { id } = await t.infra.instances.create({
    name: 'm',
    jsonSpec: { ...docker, protocol_era: 'modern' },
  });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  t.provider.changeTools({ one: () => 1, two: () => 2 });
  await t.settle();
  expect(t.recordedEvents('MCPServerInstanceToolsChanged')[0]?.data).toMatchObject({ added: ['two'] });
  expect(await t.infra.instances.callTool(id, 'two')).toMatchObject({
    content: [{ type: 'text', text: '2' }],
  });
});

it('counts no failures during the start period', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, health_check: { interval: 10, timeout: 5, retries: 1, start_period: 120 } },
  });
  await t.settle();
  t.hang('one');
  await t.advance(110_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(30_000);
  expect((await t.infra.instances.get(id)).status).not.toBe('running');
});

it('restarts when the canary tool answers an error', async () => {
  let broken = false;
  await using t = await createTestInfra({
    tools: {
      self_test: () => {
        if (broken) throw new Error('disk full');
        return 'ok';
      },
    },
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, health_check: { canary_tool: 'self_test', interval: 10 } },
  });
  await t.settle();
  broken = true;
  await t.advance(31_000);
  const unhealthy = t
    .recordedEvents('MCPServerInstanceStatusChanged')
    .find(({ data }) => data.to === 'unhealthy');
  expect(unhealthy?.data.message).toContain('disk full');
  broken = false;
  await t.advance(30_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
});
