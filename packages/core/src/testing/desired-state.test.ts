import { expect, it, vi } from 'vitest';
import { memorySecrets } from '../index.js';
import { createTestInfra } from './create-test-infra.js';

const document = {
  servers: [
    {
      name: 'files',
      dockerImageUrl: 'mcp/files:1',
      envSchema: [
        { name: 'ROOT', type: 'string', default: '/data' },
        { name: 'API_KEY', type: 'string', secret: true, required: true },
      ],
    },
  ],
  instances: [
    {
      name: 'files-1',
      server: 'files',
      jsonSpec: { type: 'docker', environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
      labels: { team: 'a' },
    },
    {
      name: 'files-2',
      server: 'files@1.0.0',
      jsonSpec: { type: 'docker', environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
    },
    { name: 'alone', jsonSpec: { type: 'docker', image: 'mcp/alone' }, desiredState: 'stopped' },
  ],
} as const;

const options = async () => {
  return { secrets: [memorySecrets({ 'vault:API_KEY': 'abc' })], tools: { env: envTool } };
};
const envTool = (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) =>
  environment;

it('makes a fleet like a document, and changes nothing the second time', async () => {
  await using t = await createTestInfra(await options());
  const planned = await t.infra.apply(document, { dryRun: true });
  expect(planned.errors).toEqual([]);
  expect(planned.created).toEqual([
    'server/files@1.0.0',
    'instance/files-1',
    'instance/files-2',
    'instance/alone',
  ]);
  expect(await t.infra.instances.count()).toBe(0);
  const applied = await t.infra.apply(document);
  expect(applied).toMatchObject({
    created: planned.created,
    updated: [],
    unchanged: [],
    removed: [],
    errors: [],
  });
  await t.settle();
  expect(await t.infra.instances.count({ status: 'running' })).toBe(2);
  const { items } = await t.infra.instances.list({ name: 'files-1' });
  const { structuredContent } = await t.infra.instances.callTool(items[0]!.id, 'env');
  expect(structuredContent).toMatchObject({ ROOT: '/data', API_KEY: 'abc' });

  const events = t.recordedEvents().length;
  const again = await t.infra.apply(document);
  await t.settle();
  expect(again).toMatchObject({ created: [], updated: [], removed: [], errors: [] });
  expect(again.unchanged).toHaveLength(4);
  expect(t.recordedEvents()).toHaveLength(events);
  expect((await t.infra.apply(document, { dryRun: true })).unchanged).toHaveLength(4);
});

it('writes no secret anew that an instance keeps already, and replaces no copy for it', async () => {
  const secrets = memorySecrets();
  const put = vi.spyOn(secrets, 'put');
  const puts = () => put.mock.calls.filter(([{ scope }]) => scope.startsWith('instance_')).length;
  await using t = await createTestInfra({ tools: { env: envTool }, secrets: [secrets] });
  const withToken = (token: string) => ({
    instances: [
      {
        name: 'one',
        jsonSpec: {
          type: 'docker',
          image: 'mcp/one',
          environment: { API_TOKEN: token },
          registry: { username: 'me', password: 'canary-of-registry' },
        },
      },
    ],
  });
  expect((await t.infra.apply(withToken('canary-1'))).created).toEqual(['instance/one']);
  await t.settle();
  const [instance] = (await t.infra.instances.list()).items;
  const events = t.recordedEvents().length;
  const writes = puts();
  for (const dryRun of [true, false]) {
    const again = await t.infra.apply(withToken('canary-1'), { dryRun });
    expect(again).toMatchObject({ unchanged: ['instance/one'], updated: [], errors: [] });
  }
  await t.infra.instances.update(instance!.id, { jsonSpec: { environment: { API_TOKEN: 'canary-1' } } });
  await t.settle();
  expect(t.recordedEvents()).toHaveLength(events);
  expect(puts()).toBe(writes);

  for (const dryRun of [true, false]) {
    const other = await t.infra.apply(withToken('canary-2'), { dryRun });
    expect(other).toMatchObject({ updated: ['instance/one'], unchanged: [], errors: [] });
  }
  await t.settle();
  expect(puts()).toBe(writes + 1);
  const { structuredContent } = await t.infra.instances.callTool(instance!.id, 'env');
  expect(structuredContent).toMatchObject({ API_TOKEN: 'canary-2' });
});

it('exports what another fleet can be made of', async () => {
  await using t = await createTestInfra(await options());
  await t.infra.apply(document);
  await t.settle();
  const exported = await t.infra.export();
  expect((await t.infra.apply(exported)).unchanged).toHaveLength(4);
  expect((await t.infra.apply(exported, { dryRun: true })).unchanged).toHaveLength(4);

  await using other = await createTestInfra(await options());
  const { created, errors } = await other.infra.apply(
    JSON.parse(JSON.stringify(exported)) as typeof exported,
  );
  expect(errors).toEqual([]);
  expect(created).toHaveLength(4);
  await other.settle();
  expect(await other.infra.export()).toEqual(exported);
  expect(await other.infra.instances.count({ status: 'running' })).toBe(2);
});

it('applies each part by itself and says what it refused', async () => {
  await using t = await createTestInfra(await options());
  const broken = {
    servers: document.servers,
    instances: [
      ...document.instances,
      { name: 'wrong', jsonSpec: { type: 'docker' } },
      { name: 'lost', server: 'nobody', jsonSpec: { type: 'docker' } },
    ],
  };
  const result = await t.infra.apply(broken);
  expect(result.created).toHaveLength(4);
  expect(result.errors.map(({ name, error }) => [name, error.code])).toEqual([
    ['instance/wrong', 'INVALID_SPEC'],
    ['instance/lost', 'NOT_FOUND'],
  ]);
});

it('changes what differs, and removes with prune what is not named', async () => {
  await using t = await createTestInfra(await options());
  await t.infra.apply(document);
  await t.settle();
  const [server] = document.servers;
  const changed = {
    servers: [{ ...server, dockerImageUrl: 'mcp/files:2' }],
    instances: [{ ...document.instances[0], labels: { team: 'b' } }],
    prune: true,
  };
  const planned = await t.infra.apply(changed, { dryRun: true });
  const result = await t.infra.apply(changed);
  expect(result).toMatchObject({
    errors: [],
    created: [],
    updated: ['server/files@1.0.0', 'instance/files-1'],
  });
  expect([...result.removed].sort()).toEqual(['instance/alone', 'instance/files-2']);
  expect(planned.removed).toEqual(result.removed);
  await t.settle();
  expect(t.provider.copies().map(({ instanceName, spec }) => [instanceName, spec.image])).toEqual([
    ['files-1', 'mcp/files:2'],
  ]);
  const nothing = await t.infra.apply({ prune: true });
  expect(nothing.removed).toEqual(['instance/files-1', 'server/files@1.0.0']);
  expect(nothing.errors).toEqual([]);
  await t.settle();
  expect(t.provider.copies()).toEqual([]);
});
