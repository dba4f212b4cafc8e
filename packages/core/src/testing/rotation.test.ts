import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, vi } from 'vitest';
import { sharedFleet } from '../../test/support/shared-fleet.js';
import { memorySecrets, memoryStore, Secret } from '../index.js';
import { mcpError, type SecretResolver } from '../plugin.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';
import type { FakeProvider } from './fake-controls.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { remote } from './fake-kinds.fixture.js';

// Hours of the manual clock take seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const intervalMs = 300_000;
const hourMs = 3_600_000;
const reference = 'secret_ref:vault:API_KEY';
const jsonSpec = {
  type: 'docker',
  image: 'mcp/test',
  environment: { API_KEY: reference },
  health_check: { type: 'none' },
} as const;
const tools = {
  env: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) => environment,
};

/** A backend in which somebody else changes values. */
class Vault implements SecretResolver {
  readonly specificationVersion = 'v1';
  readonly name = 'vault';
  value: string | undefined = 'canary-value-1';
  isDown = false;
  asked = 0;

  async resolve(references: Parameters<SecretResolver['resolve']>[0]): Promise<ReadonlyMap<string, Secret>> {
    this.asked += 1;
    if (this.isDown) throw mcpError('SECRET_BACKEND_FAILED', 'The vault is away.');
    const has = references.some(({ scope }) => scope === 'vault');
    return new Map(has && this.value !== undefined ? [['vault:API_KEY', new Secret(this.value)]] : []);
  }
}

async function one(t: TestInfra): Promise<string> {
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  return id;
}

const revisions = (t: { readonly provider: Pick<FakeProvider, 'copies'> }) =>
  t.provider.copies().map(({ copy }) => copy.revision);
const rotations = (t: TestInfra) => t.recordedEvents('MCPServerInstanceSecretsRotated');

async function given(t: TestInfra, id: string): Promise<unknown> {
  return (await t.infra.instances.callTool(id, 'env')).structuredContent?.['API_KEY'];
}

it('replaces the copy within five minutes after a value changed in its backend', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ tools, secrets: [vault, memorySecrets()] });
  const id = await one(t);
  vault.value = 'canary-value-2';
  await t.advance(intervalMs);
  expect(await given(t, id)).toBe('canary-value-2');
  expect(revisions(t)).toEqual([2]);
  const { status, statusDetail, generation, observedGeneration } = await t.infra.instances.get(id);
  expect([status, statusDetail.reason, statusDetail.restartCount]).toEqual(['running', '', 0]);
  expect(observedGeneration).toBe(generation);
  expect(rotations(t)).toMatchObject([{ subject: id, data: { instanceId: id, name: 'one', revision: 1 } }]);
  await t.advance(hourMs);
  expect(revisions(t)).toEqual([2]);
  expect(rotations(t)).toHaveLength(1);
  expect(await t.leaks()).toEqual([]);
});

it('asks at every interval, and leaves alone what did not change', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ secrets: [vault, memorySecrets()], secretRotationCheckMs: 60_000 });
  const id = await one(t);
  const before = await t.infra.instances.get(id);
  const { asked } = vault;
  await t.advance(hourMs);
  expect(vault.asked - asked).toBe(60);
  expect(await t.infra.instances.get(id)).toEqual(before);
  expect(rotations(t)).toEqual([]);
});

it('asks no backend for an instance without references, or for one that does not run', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ secrets: [vault, memorySecrets()] });
  await t.infra.instances.create({ name: 'plain', jsonSpec: { type: 'docker', image: 'mcp/test' } });
  const id = await one(t);
  await t.infra.instances.stop(id);
  await t.settle();
  const { asked } = vault;
  vault.value = 'canary-value-2';
  await t.advance(hourMs);
  expect(await t.infra.instances.checkSecrets()).toEqual([]);
  expect(vault.asked).toBe(asked);
  expect(rotations(t)).toEqual([]);
});

it('changes nothing while a backend is away or has lost the value', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ tools, secrets: [vault, memorySecrets()] });
  const id = await one(t);
  const before = await t.infra.instances.get(id);
  vault.value = 'canary-value-2';
  vault.isDown = true;
  await t.advance(hourMs);
  vault.isDown = false;
  vault.value = undefined;
  await t.advance(hourMs);
  expect(await t.infra.instances.get(id)).toEqual(before);
  vault.value = 'canary-value-2';
  await t.advance(intervalMs);
  expect(await given(t, id)).toBe('canary-value-2');
  expect(rotations(t)).toHaveLength(1);
});

it('rolls back when the new copy fails, and tries again only when the value changes again', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ tools, secrets: [vault, memorySecrets()] });
  const id = await one(t);
  vault.value = 'canary-value-2';
  t.failNextStart('IMAGE_PULL_DENIED', 'refused');
  await t.advance(intervalMs);
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect([status, statusDetail.reason]).toEqual(['running', 'UPDATE_ROLLED_BACK']);
  await t.advance(hourMs);
  t.crash('one');
  await t.advance(hourMs);
  expect(revisions(t)).toEqual([1]);
  expect(await given(t, id)).toBe('canary-value-1');
  expect(rotations(t)).toHaveLength(1);
  vault.value = 'canary-value-3';
  await t.advance(intervalMs);
  expect(await given(t, id)).toBe('canary-value-3');
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('');
  expect(rotations(t)).toHaveLength(2);
});

it('looks at once when it is asked to, and says what is replaced', async () => {
  const vault = new Vault();
  await using t = await createTestInfra({ tools, secrets: [vault, memorySecrets()] });
  const id = await one(t);
  await t.infra.instances.create({ name: 'plain', jsonSpec: { type: 'docker', image: 'mcp/test' } });
  await t.settle();
  expect(await t.infra.instances.checkSecrets(id)).toEqual([]);
  vault.value = 'canary-value-2';
  const tenant = t.infra.scope({ tenant: 'other' });
  expect(await tenant.instances.checkSecrets()).toEqual([]);
  await expect(tenant.instances.checkSecrets(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await t.infra.instances.checkSecrets(undefined, { actor: 'ann' })).toEqual([id]);
  await t.settle();
  expect(await given(t, id)).toBe('canary-value-2');
  expect(rotations(t)).toMatchObject([{ actor: 'ann' }]);
  vault.isDown = true;
  await expect(t.infra.instances.checkSecrets(id)).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
  await expect(t.infra.instances.checkSecrets()).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
});

it('tells of a secret that was rotated by the host, once', async () => {
  await using t = await createTestInfra({ tools });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { type: 'docker', image: 'mcp/test', environment: { API_KEY: 'canary-value-1' } },
  });
  await t.settle();
  expect(rotations(t)).toEqual([]);
  await t.infra.environment.rotate(id, 'API_KEY', 'canary-value-2');
  await t.settle();
  t.failNextStart('IMAGE_PULL_DENIED', 'refused');
  await t.infra.environment.rotate(id, 'API_KEY', 'canary-value-3');
  await t.settle();
  expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
  await t.advance(hourMs);
  expect(await given(t, id)).toBe('canary-value-2');
  expect(rotations(t).map(({ data }) => data.revision)).toEqual([1, 2]);
});

it('replaces a remote server whose token was rotated, so that a new link uses it', async () => {
  const vault = new Vault();
  const clock = manualClock();
  const elsewhere = fakeProvider({ ...remote, clock });
  await using t = await createTestInfra({
    clock,
    providers: [elsewhere],
    secrets: [vault, memorySecrets()],
  });
  await t.infra.instances.create({
    name: 'remote',
    jsonSpec: {
      type: 'remote',
      endpoint: 'https://mcp.example.com/mcp',
      authentication: { type: 'bearer', token: reference },
    },
  });
  await t.settle();
  vault.value = 'canary-value-2';
  await t.advance(intervalMs);
  expect(revisions(t)).toEqual([2]);
  expect(t.recordedEvents('MCPServerInstanceSecretsRotated')).toHaveLength(1);
});

it('replaces the copy once where several processes see the change', async () => {
  const vault = new Vault();
  const secrets = [vault, memorySecrets()];
  await using fleet = sharedFleet();
  const first = await fleet.join({ secrets });
  const second = await fleet.join({ secrets });
  for (let n = 0; n < 4; n++) await first.infra.instances.create({ name: `i-${n}`, jsonSpec });
  await fleet.advance(20_000);
  vault.value = 'canary-value-2';
  await Promise.all([first.infra.instances.checkSecrets(), second.infra.instances.checkSecrets()]);
  await fleet.advance(20_000);
  expect(revisions({ provider: fleet.engine })).toEqual([2, 2, 2, 2]);
  vault.value = 'canary-value-3';
  await fleet.advance(2 * intervalMs);
  expect(revisions({ provider: fleet.engine })).toEqual([3, 3, 3, 3]);
  const events = await fleet.store.events.read({ after: 0, limit: 1_000 });
  expect(events.filter(({ type }) => type === 'MCPServerInstanceSecretsRotated')).toHaveLength(8);
});

it('knows the values again after a restart of the host', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-rotation-'));
  try {
    const vault = new Vault();
    const secrets = [vault, memorySecrets()];
    const file = join(directory, 'store.json');
    const clock = manualClock();
    const before = await createTestInfra({ tools, secrets, clock, store: memoryStore({ file, clock }) });
    const id = await one(before);
    await before.stop();
    const store = memoryStore({ file, clock });
    await using t = await createTestInfra({ tools, secrets, clock, store });
    const fingerprint = (await store.instances.get(id))?.runtime.secretFingerprint;
    await t.advance(hourMs);
    expect(revisions(t)).toEqual([1]);
    expect(rotations(t)).toEqual([]);
    expect((await store.instances.get(id))?.runtime.secretFingerprint).toBe(fingerprint);
    vault.value = 'canary-value-2';
    await t.advance(intervalMs);
    expect(revisions(t)).toEqual([2]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

it('takes a key it does not know for no change of the values', async () => {
  const vault = new Vault();
  const secrets = memorySecrets();
  const clock = manualClock();
  const store = memoryStore({ clock });
  await using t = await createTestInfra({ tools, secrets: [vault, secrets], store, clock });
  const id = await one(t);
  const row = await store.instances.get(id);
  const other = `${'x'.repeat(12)}${row?.runtime.secretFingerprint?.slice(12) ?? ''}`;
  await store.updateInstance(
    { ...row!, runtime: { ...row!.runtime, secretFingerprint: other } },
    { events: [] },
  );
  await t.advance(intervalMs);
  // A digest is made beside the clock.
  await vi.waitFor(async () =>
    expect((await store.instances.get(id))?.runtime).toMatchObject({
      lastRevision: 1,
      secretFingerprint: row?.runtime.secretFingerprint,
    }),
  );
  vault.value = 'canary-value-2';
  await t.advance(intervalMs);
  expect(await given(t, id)).toBe('canary-value-2');
});

it('shows neither the fingerprint nor a value anywhere', async () => {
  const vault = new Vault();
  const clock = manualClock();
  const store = memoryStore({ clock });
  await using t = await createTestInfra({ tools, secrets: [vault, memorySecrets()], store, clock });
  const id = await one(t);
  const first = (await store.instances.get(id))?.runtime.secretFingerprint;
  vault.value = 'canary-value-2';
  await t.advance(intervalMs);
  const second = (await store.instances.get(id))?.runtime.secretFingerprint;
  expect(first).toMatch(/^[\w-]{55}$/u);
  expect(second).toMatch(/^[\w-]{55}$/u);
  expect(second).not.toBe(first);
  const shown = inspect(
    [
      await t.infra.instances.get(id),
      await t.infra.instances.list(),
      await t.infra.export(),
      await t.infra.doctor(),
      t.recordedEvents(),
      t.logger.lines,
    ],
    { depth: null },
  );
  for (const hidden of [first!, second!, 'canary-value']) expect(shown).not.toContain(hidden);
});

it('gives no document the key of the fingerprints', async () => {
  await using t = await createTestInfra({ secrets: [new Vault(), memorySecrets()] });
  await one(t);
  const curious = t.infra.instances.create({
    name: 'curious',
    jsonSpec: { ...jsonSpec, environment: { KEY: 'secret_ref:mcpinfra:FINGERPRINT_KEY' } },
  });
  await expect(curious).rejects.toMatchObject({ details: { issues: [{ code: 'forbidden_reference' }] } });
});

it('says that nothing can be noticed without a key, and takes one of the host', async () => {
  const vault = new Vault();
  await using off = await createTestInfra({ secrets: [vault] });
  const id = await one(off);
  expect((await off.infra.doctor()).find(({ name }) => name === 'rotated secrets')?.ok).toBe(false);
  await expect(off.infra.instances.checkSecrets(id)).rejects.toMatchObject({ code: 'SECRET_STORE_REQUIRED' });

  const rotation = { key: 'a key of at least thirty-two bytes' };
  await using t = await createTestInfra({ tools, secrets: [vault], rotation });
  const noticed = await one(t);
  vault.value = 'canary-value-2';
  await off.advance(hourMs);
  await t.advance(intervalMs);
  expect(revisions(off)).toEqual([1]);
  expect(await given(t, noticed)).toBe('canary-value-2');
  await expect(createTestInfra({ rotation: { key: 'short' } })).rejects.toMatchObject({
    code: 'INVALID_OPTIONS',
  });
});
