import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { memorySecrets, memoryStore, Secret } from '../index.js';
import type { SecretStore, Store } from '../plugin.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const tools = {
  env: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) => environment,
};

it('fails for a secret nobody has, with the next try, and runs by itself once it is there', async () => {
  const secrets = memorySecrets();
  await using t = await createTestInfra({ tools, secrets: [secrets] });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
  });
  await t.settle();
  const failed = await t.infra.instances.get(id);
  expect(failed).toMatchObject({ status: 'failed', statusDetail: { reason: 'SECRET_NOT_FOUND' } });
  expect(failed.statusDetail.message).toContain('secret_ref:vault:API_KEY');
  expect(failed.statusDetail.nextRetryAt).not.toBeNull();
  expect(t.provider.copies()).toEqual([]);

  await secrets.put({ scope: 'vault', key: 'API_KEY' }, new Secret('s3cret-value-1'));
  await t.advance(1_000);
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(await t.infra.instances.callTool(id, 'env')).toMatchObject({
    structuredContent: { API_KEY: 's3cret-value-1' },
  });
});

it('moves a secret given in clear to the store, and replaces the copy when it is rotated', async () => {
  const store = memoryStore();
  await using t = await createTestInfra({ tools, store });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { GITHUB_TOKEN: 'canary-value-one', MODE: 'plain' } },
  });
  await t.settle();
  expect((await call(t, id))['GITHUB_TOKEN']).toBe('canary-value-one');
  expect(await t.infra.environment.list(id)).toEqual([
    {
      name: 'GITHUB_TOKEN',
      value: null,
      secret: true,
      references: [
        expect.stringMatching(`^secret_ref:instance_${id}:environment\\.GITHUB_TOKEN\\.`) as string,
      ],
    },
    { name: 'MODE', value: 'plain', secret: false, references: [] },
  ]);
  // A secret is told by its reference, never by its value.
  expect(await t.infra.environment.get(id, 'GITHUB_TOKEN')).toMatchObject({ value: null, secret: true });
  expect(await t.infra.environment.get(id, 'MODE')).toMatchObject({ value: 'plain', secret: false });
  expect(await t.infra.environment.get(id, 'NONE')).toBeNull();

  await t.infra.environment.rotate(id, 'GITHUB_TOKEN', 'canary-value-two');
  await t.settle();
  expect((await call(t, id))['GITHUB_TOKEN']).toBe('canary-value-two');
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);

  await t.infra.environment.set(id, 'EXTRA', 'canary-value-three', { secret: true });
  await t.settle();
  expect((await call(t, id))['EXTRA']).toBe('canary-value-three');

  await t.infra.environment.set(id, 'MODE', 'other');
  await t.settle();
  expect((await call(t, id))['MODE']).toBe('other');

  await t.infra.environment.delete(id, 'EXTRA');
  await t.settle();
  expect(await call(t, id)).not.toHaveProperty('EXTRA');

  t.crash('one', { lines: ['dying with canary-value-two in my hands'] });
  await t.settle();
  expect((await t.infra.instances.get(id)).statusDetail.lastExit?.lastLogLines).toEqual([
    'dying with [secret] in my hands',
  ]);
  expect(await everythingKept(t, store)).not.toContain('canary-value');
});

it('deletes the secrets of an instance with it', async () => {
  const deleted: string[] = [];
  const memory = memorySecrets();
  const secrets: SecretStore = {
    ...memory,
    deleteScope: async (scope, options) => {
      deleted.push(scope);
      await memory.deleteScope(scope, options);
    },
  };
  await using t = await createTestInfra({ secrets: [secrets] });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_TOKEN: 'abcdefgh' } },
  });
  await t.settle();
  await t.infra.instances.delete(id);
  await t.settle();
  expect(deleted).toEqual([`instance_${id}`]);
});

it('refuses to rotate what is no secret of the instance', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { MODE: 'x' } },
  });
  await expect(t.infra.environment.rotate(id, 'MODE', 'y')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(t.infra.environment.rotate(id, 'OTHER', 'y')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('gives up a delete of an instance whose secret backend hangs at its start', async () => {
  await using t = await createTestInfra({
    secrets: [{ specificationVersion: 'v1', name: 'hanging', resolve: () => new Promise(() => undefined) }],
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
  });
  await t.settle();
  await t.infra.instances.delete(id);
  await t.settle();
  expect(await t.infra.instances.count()).toBe(0);
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
});

it('fails for a secret backend that does not answer, and says which', async () => {
  await using t = await createTestInfra({
    secrets: [{ specificationVersion: 'v1', name: 'hanging', resolve: () => new Promise(() => undefined) }],
  });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
  });
  await t.advance(20_000);
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect(status).toBe('failed');
  expect(statusDetail.message).toContain('hanging');
  expect(statusDetail.nextRetryAt).not.toBeNull();
});

async function call(t: TestInfra, id: string): Promise<Readonly<Record<string, unknown>>> {
  return (await t.infra.instances.callTool(id, 'env')).structuredContent ?? {};
}

/** Everything that is written down or shown anywhere. */
async function everythingKept(t: TestInfra, store: Store): Promise<string> {
  const rows = await store.instances.list({ limit: 100 });
  const events = await store.events.read({ after: 0, limit: 1_000 });
  return JSON.stringify([
    rows,
    events,
    t.recordedEvents(),
    t.logger.lines,
    t.provider.copies(),
    await t.infra.export(),
  ]);
}

it('keeps a value that a failing provider repeats out of the log, the events and the row', async () => {
  const value = 'canary-value-repeated';
  await using t = await createTestInfra({ tools, secrets: [memorySecrets({ 'vault:API_KEY': value })] });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: 'secret_ref:vault:API_KEY' } },
  });
  await t.settle();
  t.failNextStart('IMAGE_NOT_FOUND', `the engine refused ${value}`);
  await t.infra.instances.update(id, { jsonSpec: { environment: { MODE: 'new' } } });
  await t.settle();
  const row = await t.infra.instances.get(id);
  expect(row.statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
  expect(row.statusDetail.message).toContain('the engine refused [secret]');
  for (const surface of [row, t.recordedEvents(), t.logger.lines]) {
    expect(inspect(surface, { depth: null })).not.toContain(value);
  }
});

it('still knows a value that was rotated away, while the old copy may write it', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { GITHUB_TOKEN: 'canary-value-old' } },
  });
  await t.settle();
  await t.infra.environment.rotate(id, 'GITHUB_TOKEN', 'canary-value-new');
  await t.settle();
  t.failNextStart('PROVIDER_FAILED', 'saw canary-value-old and canary-value-new');
  await t.infra.instances.restart(id);
  await t.settle();
  const surfaces = [await t.infra.instances.get(id), t.recordedEvents(), t.logger.lines];
  expect(inspect(surfaces, { depth: null })).not.toMatch(/canary-value/u);
});

it('keeps a value that a server tells in the description of a tool out of the row and the events', async () => {
  const value = 'canary-value-told';
  const store = memoryStore();
  const told = { description: `connects with ${value}`, handler: () => 'ok' };
  await using t = await createTestInfra({ tools: { told }, store });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, environment: { API_KEY: value } },
  });
  await t.settle();
  expect(await t.infra.instances.tools(id)).toMatchObject([{ description: 'connects with [secret]' }]);
  expect(await everythingKept(t, store)).not.toContain(value);
});
