import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const tools = {
  env: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) => environment,
};
const level = { name: 'LEVEL', choices: ['info', 'debug'], default: 'info' };

async function fleet() {
  const t = await createTestInfra({ tools });
  const server = await t.infra.servers.register({
    name: 'files',
    dockerImageUrl: 'mcp/files:1',
    envSchema: [level, { name: 'PIN' }],
  });
  const make = (name: string, environment: Readonly<Record<string, string>>, desiredState?: 'stopped') =>
    t.infra.instances.create({
      name,
      serverSpecId: server.id,
      desiredState,
      jsonSpec: { type: 'docker', environment },
    });
  await make('plain', {});
  await make('debugging', { LEVEL: 'debug' });
  await make('pinned', { PIN: '1234' });
  await make('asleep', {}, 'stopped');
  await t.settle();
  const plan = async (patch: Parameters<typeof t.infra.servers.plan>[1]) => {
    const { instances, ...rest } = await t.infra.servers.plan(server.id, patch);
    return {
      ...rest,
      effects: Object.fromEntries(instances.map(({ name, effect }) => [name, effect])),
      instances,
    };
  };
  return { t, id: server.id, plan };
}

it('says which instances a change makes invalid, and where, and changes nothing', async () => {
  const { t, id, plan } = await fleet();
  await using _ = t;
  const before = await t.infra.servers.get(id);
  const events = t.recordedEvents().length;
  const patch = {
    envSchema: [
      { ...level, choices: ['info', 'warn'] },
      { name: 'PIN', required: true },
    ],
  };
  const { valid, issues, effects, instances } = await plan(patch);
  expect({ valid, issues, effects }).toEqual({
    valid: false,
    issues: [],
    effects: { plain: 'invalid', debugging: 'invalid', pinned: 'record', asleep: 'invalid' },
  });
  const found = instances.map(({ name, issues: of }) => [
    name,
    ...of.map(({ path, code }) => `${path} ${code}`),
  ]);
  expect(found).toContainEqual([
    'debugging',
    '/jsonSpec/environment/PIN required',
    '/jsonSpec/environment/LEVEL not_a_choice',
  ]);
  await t.settle();
  expect(await t.infra.servers.get(id)).toEqual(before);
  expect(t.recordedEvents()).toHaveLength(events);
  await expect(t.infra.servers.update(id, patch, { rollout: 'rolling' })).rejects.toMatchObject({
    code: 'INVALID_SPEC',
  });
});

it('says which instances a roll-out replaces, as it then does', async () => {
  const { t, id, plan } = await fleet();
  await using _ = t;
  const patch = { envSchema: [{ ...level, default: 'debug' }, { name: 'PIN' }] };
  expect(await plan(patch)).toMatchObject({
    valid: true,
    effects: { plain: 'replace', debugging: 'record', pinned: 'replace', asleep: 'start-later' },
  });
  const { items } = await t.infra.instances.list();
  const nameOf = new Map(items.map(({ id: of, name }) => [of, name]));
  const revisions = (): ReadonlyMap<string | undefined, number> =>
    new Map(t.provider.copies().map(({ copy }) => [nameOf.get(copy.instanceId), copy.revision]));
  const before = revisions();
  await t.infra.servers.update(id, patch, { rollout: 'rolling' });
  await t.settle();
  const replaced = [...before.keys()].filter((name) => revisions().get(name) !== before.get(name));
  expect(replaced.sort()).toEqual(['pinned', 'plain']);
});

it('says that a change of words needs no new copy, and that no change needs nothing', async () => {
  const { t, plan } = await fleet();
  await using _ = t;
  const described = await plan({
    envSchema: [{ ...level, description: 'How much is said.' }, { name: 'PIN' }],
  });
  expect(new Set(Object.values(described.effects))).toEqual(new Set(['record']));
  expect(new Set(Object.values((await plan({ name: 'files' })).effects))).toEqual(new Set(['none']));
});

it('says which variables in clear would be secrets', async () => {
  const { t, plan } = await fleet();
  await using _ = t;
  const { instances } = await plan({ envSchema: [level, { name: 'PIN', secret: true }] });
  expect(instances.filter(({ secretsInClear }) => secretsInClear.length > 0)).toMatchObject([
    { name: 'pinned', secretsInClear: ['PIN'] },
  ]);
});

it('gives the faults of the change itself', async () => {
  const { t, plan } = await fleet();
  await using _ = t;
  const { valid, issues, instances } = await plan({
    envSchema: [{ name: 'A', default: 'x', type: 'integer' }],
  });
  expect(valid).toBe(false);
  expect(issues.map(({ path }) => path)).toEqual(['/envSchema/0/default']);
  expect(instances).toEqual([]);
});

it('is not given for a server of another tenant', async () => {
  const { t, id } = await fleet();
  await using _ = t;
  const other = t.infra.scope({ tenant: 'other' });
  await expect(other.servers.plan(id, {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('fills a template from a secret that is kept in the secret store', async () => {
  await using t = await createTestInfra({ tools });
  const token = { required: true, secret: true };
  const server = await t.infra.servers.register({
    name: 'remote',
    dockerImageUrl: 'mcp/remote:1',
    envSchema: [{ name: 'AUTHORIZATION', value: 'Bearer {token}', variables: { token } }],
  });
  expect(await t.infra.servers.get(server.id)).toMatchObject({ envSchema: [{ variables: { token } }] });
  expect(await t.infra.servers.environmentSchema(server.id)).toMatchObject({
    required: ['token'],
    properties: { token: { writeOnly: true } },
  });
  const { id, jsonSpec } = await t.infra.instances.create({
    name: 'one',
    serverSpecId: server.id,
    jsonSpec: { type: 'docker', environment: { token: 'canary' } },
  });
  const reference = new RegExp(`^secret_ref:instance_${id}:environment\\.token\\.[A-Za-z0-9_-]{28}$`, 'u');
  expect(jsonSpec.environment).toEqual({ token: expect.stringMatching(reference) as string });
  await t.settle();
  const environment = async () => (await t.infra.instances.callTool(id, 'env')).structuredContent;
  expect(await environment()).toMatchObject({ AUTHORIZATION: 'Bearer canary' });
  expect(await environment()).not.toHaveProperty('token');
  await t.infra.environment.rotate(id, 'token', 'other');
  await t.settle();
  expect(await environment()).toMatchObject({ AUTHORIZATION: 'Bearer other' });
  expect(JSON.stringify(t.recordedEvents())).not.toContain('canary');
});

it('takes any environment in the schema of a server that declares none, as instances may have it', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.servers.register({ name: 'open', dockerImageUrl: 'mcp/open:1' });
  expect(await t.infra.servers.environmentSchema(id)).toMatchObject({
    additionalProperties: { type: 'string' },
  });
});
