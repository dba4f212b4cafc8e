import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test:1' } as const;
const image = (tag: string) => ({ jsonSpec: { image: `mcp/test:${tag}` } });
const tools = {
  mode: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) =>
    environment['MODE'],
};

it('replaces the copy by start, probe, switch, and the old one serves until then', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'old' } },
  });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'new' } } });
  await t.settle();
  expect(t.provider.copies().map(({ copy, state }) => [copy.revision, state])).toEqual([
    [1, 'running'],
    [2, 'running'],
  ]);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    generation: 2,
    observedGeneration: 1,
  });
  t.unhang('one');
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({ status: 'running', observedGeneration: 2 });
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'new' }] });
  const { data } = t.recordedEvents('MCPServerInstanceStatusChanged').at(-1)!;
  expect(data.to).toBe('running');
  expect(await t.leaks()).toEqual([]);
});

it('lets a call on the old copy end before it removes it', async () => {
  const answers: ((value: string) => void)[] = [];
  await using t = await createTestInfra({
    tools: { slow: () => new Promise<string>((resolve) => answers.push(resolve)) },
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const call = t.infra.instances.callTool(id, 'slow');
  await t.settle();
  await t.infra.instances.update(id, image('2'));
  await t.advance(5_000);
  expect(t.provider.copies()).toHaveLength(2);
  answers[0]?.('done');
  expect(await call).toMatchObject({ content: [{ text: 'done' }] });
  await t.settle();
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
});

it('rolls back when the new copy does not start, says so, and does not try it again', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'old' } },
  });
  await t.settle();
  t.failNextStart('IMAGE_NOT_FOUND', 'no such tag');
  const update = t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'new' } } }, { wait: true });
  const refused = expect(update).rejects.toMatchObject({ code: 'UPDATE_ROLLED_BACK' });
  await t.settle();
  await refused;
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect(status).toBe('running');
  expect(statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
  expect(statusDetail.message).toContain('no such tag');
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'old' }] });
  await t.advance(300_000);
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
  expect(await t.leaks()).toEqual([]);

  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'newer' } } }, { wait: true });
  await t.settle();
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'newer' }] });
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('');
  expect(t.provider.copies()).toHaveLength(1);
});

it('serves on with the old copy after a crash that followed a roll-back', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'old' } },
  });
  await t.settle();
  t.failNextStart('IMAGE_NOT_FOUND');
  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'new' } } });
  await t.settle();
  t.crash('one');
  await t.settle();
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect([status, statusDetail.reason]).toEqual(['running', 'UPDATE_ROLLED_BACK']);
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'old' }] });

  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'old' } } }, { wait: true });
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('');
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
});

it('rolls back when the new copy never answers', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: {
      ...docker,
      lifecycle: { startup_timeout: 10, stop_grace: 1 },
      health_check: { interval: 300 },
    },
  });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, image('2'));
  await t.advance(11_000);
  t.unhang('one');
  await t.settle();
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect([status, statusDetail.reason]).toEqual(['running', 'UPDATE_ROLLED_BACK']);
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
});

it('goes straight to the last of several updates', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.hang('one');
  for (const mode of ['a', 'b', 'c']) {
    await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: mode } } });
    await t.settle();
  }
  t.unhang('one');
  await t.advance(30_000);
  expect(await t.infra.instances.callTool(id, 'mode')).toMatchObject({ content: [{ text: 'c' }] });
  expect(t.provider.copies()).toHaveLength(1);
  expect(await t.leaks()).toEqual([]);
});

it('changes what only the controller reads without a new copy', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.infra.instances.update(id, { description: 'Better.', jsonSpec: { health_check: { interval: 5 } } });
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    generation: 2,
    observedGeneration: 2,
    description: 'Better.',
  });
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
});

it('does nothing for an update that changes nothing, and refuses one of an old version', async () => {
  await using t = await createTestInfra();
  const created = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const { generation, resourceVersion } = await t.infra.instances.get(created.id);
  expect((await t.infra.instances.update(created.id, image('1'))).generation).toBe(generation);
  await expect(
    t.infra.instances.update(created.id, image('2'), { ifResourceVersion: resourceVersion - 1 }),
  ).rejects.toMatchObject({ code: 'CONFLICT' });
  const mistyped: object = { imagee: 'x' };
  await expect(t.infra.instances.update(created.id, { jsonSpec: mistyped })).rejects.toMatchObject({
    code: 'INVALID_SPEC',
  });
});

it('deletes an instance in the middle of its update with nothing left', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { stop_grace: 1 } },
  });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, image('2'));
  await t.settle();
  await t.infra.instances.delete(id);
  await t.advance(5_000);
  expect(t.provider.copies()).toEqual([]);
  expect(await t.infra.instances.count()).toBe(0);
  expect(await t.leaks()).toEqual([]);
});

it('stops an instance in the middle of its update', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { stop_grace: 1 } },
  });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, image('2'));
  await t.settle();
  await t.infra.instances.stop(id);
  await t.advance(5_000);
  expect((await t.infra.instances.get(id)).status).toBe('stopped');
  expect(await t.leaks()).toEqual([]);
});

it('survives a crash of the old copy during an update', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, image('2'));
  await t.settle();
  t.crash('one');
  t.unhang('one');
  await t.advance(60_000);
  expect(await t.infra.instances.get(id)).toMatchObject({ status: 'running' });
  expect(t.provider.copies().filter(({ state }) => state === 'running')).toHaveLength(1);
  expect(await t.leaks()).toEqual([]);
});

it('rolls a changed definition out over its instances', async () => {
  await using t = await createTestInfra();
  const server = await t.infra.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1' });
  for (const name of ['a', 'b']) {
    await t.infra.instances.create({
      name,
      serverSpecId: server.id,
      jsonSpec: { type: 'docker' } as typeof docker,
    });
  }
  await t.settle();
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' });
  await t.settle();
  expect(t.provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/fs:1', 'mcp/fs:1']);
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:3' }, { rollout: 'rolling' });
  await t.settle();
  expect(t.provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/fs:3', 'mcp/fs:3']);
  await expect(t.infra.servers.delete(server.id)).rejects.toMatchObject({ code: 'SERVER_IN_USE' });
  await t.infra.servers.delete(server.id, { cascade: true });
  await t.settle();
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
});
