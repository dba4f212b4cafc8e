import { describe, expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('refuses what is past a limit, of the fleet and of a tenant, and admits again after a delete', async () => {
  await using t = await createTestInfra({ limits: { maxInstances: 3, maxInstancesPerTenant: 2 } });
  const a = t.infra.scope({ tenant: 'a' });
  const b = t.infra.scope({ tenant: 'b' });
  const results = await Promise.allSettled(
    [1, 2, 3, 4].map((n) => a.instances.create({ name: `n-${n}`, jsonSpec: docker })),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  await b.instances.create({ name: 'n-1', jsonSpec: docker });
  await expect(b.instances.create({ name: 'n-2', jsonSpec: docker })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
  await t.settle();
  const { items } = await a.instances.list();
  await a.instances.delete(items[0]!.id);
  await t.settle();
  await b.instances.create({ name: 'n-2', jsonSpec: docker });
});

it('shows, changes and tells a tenant nothing of another', async () => {
  await using t = await createTestInfra({ tools: { echo: (args) => args } });
  const a = t.infra.scope({ tenant: 'a' });
  const b = t.infra.scope({ tenant: 'b' });
  const heard: string[] = [];
  b.events.on('*', ({ tenant }) => void heard.push(tenant));
  const server = await a.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs' });
  const { id } = await a.instances.create({ name: 'one', jsonSpec: docker });
  await b.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const notFound = { code: 'NOT_FOUND' };
  await expect(b.instances.get(id)).rejects.toMatchObject(notFound);
  await expect(b.instances.stop(id)).rejects.toMatchObject(notFound);
  await expect(b.instances.callTool(id, 'echo')).rejects.toMatchObject(notFound);
  await expect(b.environment.set(id, 'A', 'b')).rejects.toMatchObject(notFound);
  await expect(b.servers.get(server.id)).rejects.toMatchObject(notFound);
  await expect(b.instances.waitFor(id, 'running')).rejects.toMatchObject(notFound);
  await b.instances.delete(id);
  expect((await a.instances.get(id)).status).toBe('running');
  expect((await b.instances.list()).items.map(({ tenant }) => tenant)).toEqual(['b']);
  expect((await b.servers.list()).items).toEqual([]);
  expect(new Set(heard)).toEqual(new Set(['b']));
  expect(await t.infra.instances.count()).toBe(2);
  expect((await b.export()).instances).toHaveLength(1);
});

it('takes one idempotency key for all parts of what is applied, and for both steps of an ensure', async () => {
  await using t = await createTestInfra();
  const document = {
    servers: [
      { name: 'a', dockerImageUrl: 'mcp/a' },
      { name: 'b', dockerImageUrl: 'mcp/b' },
    ],
    instances: [
      { name: 'one', jsonSpec: { type: 'docker', image: 'mcp/one' } },
      { name: 'two', jsonSpec: { type: 'docker', image: 'mcp/two' } },
    ],
  } as const;
  const options = { idempotencyKey: 'deploy-7' };
  const first = await t.infra.apply(document, options);
  expect(first.errors).toEqual([]);
  expect(first.created).toHaveLength(4);
  expect((await t.infra.apply(document, options)).unchanged).toHaveLength(4);

  const changed = { ...document.instances[0], labels: { team: 'a' }, desiredState: 'stopped' } as const;
  const after = await t.infra.instances.ensure(changed, { idempotencyKey: 'ensure-1' });
  expect(after).toMatchObject({ labels: { team: 'a' }, desiredState: 'stopped' });
});

it('does nothing again for the same idempotency key', async () => {
  await using t = await createTestInfra();
  const input = { name: 'one', jsonSpec: docker };
  const first = await t.infra.instances.create(input, { idempotencyKey: 'k1' });
  expect((await t.infra.instances.create(input, { idempotencyKey: 'k1' })).id).toBe(first.id);
  const both = await Promise.all([
    t.infra.instances.create({ ...input, name: 'two' }, { idempotencyKey: 'k2' }),
    t.infra.instances.create({ ...input, name: 'two' }, { idempotencyKey: 'k2' }),
  ]);
  expect(both[0].id).toBe(both[1].id);
  await t.settle();
  await t.infra.instances.restart(first.id, { idempotencyKey: 'r1' });
  await t.settle();
  const { generation } = await t.infra.instances.restart(first.id, { idempotencyKey: 'r1' });
  await t.settle();
  expect(generation).toBe(2);
  expect(t.provider.copies().find(({ instanceName }) => instanceName === 'one')?.copy.revision).toBe(2);
  const restarts = t.recordedEvents('MCPServerInstanceStarted');
  expect(restarts).toHaveLength(1);
  expect(restarts[0]?.correlationid).toBe('r1');
});

it('names who caused an event', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker }, { actor: 'ann' });
  await t.settle();
  await t.infra.instances.stop(id, { actor: 'bob' });
  await t.settle();
  expect(t.recordedEvents('MCPServerInstanceCreated')[0]?.actor).toBe('ann');
  expect(t.recordedEvents('MCPServerInstanceStopped')[0]?.actor).toBe('bob');
});

it('refuses a name that is taken and takes it after the delete', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await expect(t.infra.instances.create({ name: 'one', jsonSpec: docker })).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  await t.infra.instances.delete(id);
  await t.settle();
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
});

describe('an id that the caller gives', () => {
  // As another system may have made it: its version and variant are none of RFC 9562.
  const id = 'b2c3d4e5-f6a7-890b-cdef-234567890bcd';

  it('is the id of the instance, in lower case', async () => {
    await using t = await createTestInfra();
    const created = await t.infra.instances.create({ id: id.toUpperCase(), name: 'one', jsonSpec: docker });
    expect(created.id).toBe(id);
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('running');
  });

  it('is refused a second time, whatever the name, and what is there keeps running with its secrets', async () => {
    await using t = await createTestInfra({ tools: { environment: (_, { environment }) => environment } });
    const input = { id, name: 'one', jsonSpec: { ...docker, environment: { API_KEY: 'first' } } };
    await t.infra.instances.create(input);
    await t.settle();
    const exists = { code: 'ALREADY_EXISTS', message: expect.stringContaining(id) as string };
    await expect(t.infra.instances.create(input)).rejects.toMatchObject(exists);
    const other = { id, name: 'two', jsonSpec: { ...docker, environment: { API_KEY: 'second' } } };
    await expect(t.infra.instances.create(other)).rejects.toMatchObject(exists);
    await t.infra.instances.restart(id);
    await t.settle();
    expect(await t.infra.instances.count()).toBe(1);
    const answer = await t.infra.instances.callTool(id, 'environment');
    expect(answer.structuredContent).toMatchObject({ MCP_INSTANCE_ID: id, API_KEY: 'first' });
  });

  it('makes one instance of many calls at once', async () => {
    await using t = await createTestInfra();
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(() => t.infra.instances.create({ id, name: 'one', jsonSpec: docker })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await t.settle();
    expect(t.provider.copies()).toHaveLength(1);
  });

  it('answers a repetition with the same idempotency key as the first time', async () => {
    await using t = await createTestInfra();
    const input = { id, name: 'one', jsonSpec: docker };
    const first = await t.infra.instances.create(input, { idempotencyKey: 'k' });
    await t.settle();
    expect((await t.infra.instances.create(input, { idempotencyKey: 'k' })).id).toBe(first.id);
    await expect(t.infra.instances.create(input, { idempotencyKey: 'l' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it.each(['instance_123', 'b2c3d4e5f6a7890bcdef234567890bcd', '', 7])('is refused as %j', async (wrong) => {
    await using t = await createTestInfra();
    const input = { id: wrong as string, name: 'one', jsonSpec: docker };
    await expect(t.infra.instances.create(input)).rejects.toMatchObject({
      code: 'INVALID_SPEC',
      message: expect.stringContaining('/id: Expected a UUID') as string,
    });
    expect(await t.infra.instances.count()).toBe(0);
  });

  it('is not that of another instance of the name, which ensure() says', async () => {
    await using t = await createTestInfra();
    const jsonSpec = docker;
    const { id: own } = await t.infra.instances.ensure({ id, name: 'one', jsonSpec });
    expect((await t.infra.instances.ensure({ id, name: 'one', jsonSpec })).id).toBe(own);
    const other = '00000000-0000-0000-0000-000000000001';
    await expect(t.infra.instances.ensure({ id: other, name: 'one', jsonSpec })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});

it('says every fault of an input at once and makes nothing', async () => {
  await using t = await createTestInfra();
  const input = { name: '', jsonSpec: { type: 'docker', imagee: 'x', port: 0 }, colour: 'red' } as unknown;
  const refused = t.infra.instances.create(input as { name: string; jsonSpec: typeof docker });
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_SPEC' });
  const { valid, issues } = await t.infra.instances.validate(input);
  expect(valid).toBe(false);
  expect(issues.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['/name', '/colour', '/jsonSpec/imagee', '/jsonSpec/port']),
  );
  expect(await t.infra.instances.count()).toBe(0);
  expect(t.recordedEvents()).toEqual([]);
});

it('follows an instance until it is gone', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  const seen: string[] = [];
  const following = (async () => {
    for await (const { status } of t.infra.instances.watch(id)) seen.push(status);
  })();
  await t.settle();
  await t.infra.instances.delete(id);
  await t.settle();
  await following;
  expect(seen[0]).toBe('pending');
  expect(seen).toContain('running');
  expect(seen.at(-1)).toBe('deleting');
});

it('pages through lists and filters them', async () => {
  await using t = await createTestInfra();
  for (let n = 0; n < 5; n++) {
    await t.infra.instances.create({
      name: `n-${n}`,
      jsonSpec: docker,
      labels: { even: String(n % 2 === 0) },
    });
  }
  await t.settle();
  const page = await t.infra.instances.list({ limit: 2 });
  expect(page.items).toHaveLength(2);
  const next = await t.infra.instances.list({ limit: 2, cursor: page.nextCursor! });
  expect(new Set([...page.items, ...next.items].map(({ name }) => name)).size).toBe(4);
  const names: string[] = [];
  for await (const { name } of t.infra.instances.all({ labels: { even: 'true' } })) names.push(name);
  expect(names.sort()).toEqual(['n-0', 'n-2', 'n-4']);
  expect(await t.infra.instances.count({ labels: { even: 'true' } })).toBe(3);
  expect(await t.infra.instances.count({ status: 'running' })).toBe(5);
  expect(await t.infra.health()).toMatchObject({ status: 'ok', instances: { running: 5 } });
});
