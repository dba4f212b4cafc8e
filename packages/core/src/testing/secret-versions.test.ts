import { describe, expect, it } from 'vitest';
import { memoryEventBus, memoryStore, type MCPInfra } from '../index.js';
import { mcpError, type Store } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';
import { openSecrets } from './open-secrets.fixture.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const tools = {
  env: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) => environment,
};

/** A store one of whose methods does something else, as long as it is told so. */
function altered<K extends 'createInstance' | 'updateInstance'>(
  store: Store,
  method: K,
  instead: (call: () => ReturnType<Store[K]>, signal: AbortSignal | undefined) => ReturnType<Store[K]>,
): Store {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key !== method) return value.bind(target) as unknown;
      return (...args: Parameters<Store['createInstance']>) =>
        instead(() => target[method](args[0], args[1]) as ReturnType<Store[K]>, args[2]?.signal);
    },
  });
}

async function environmentOf(infra: Pick<MCPInfra, 'instances'>, id: string) {
  return (await infra.instances.callTool(id, 'env')).structuredContent ?? {};
}

describe('the secret of a create', () => {
  it('stays with a row that was committed while the call was ended', async () => {
    const clock = manualClock();
    const { store: secrets, ofInstances } = openSecrets();
    const ending = new AbortController();
    let committed: Promise<unknown> = Promise.resolve();
    const store = altered(memoryStore({ clock }), 'createInstance', async (call) => {
      ending.abort();
      // The answer is lost; the row comes once nobody waits for it any more.
      committed = Promise.resolve().then(async () => {
        await Promise.resolve();
        return call();
      });
      throw mcpError('ABORTED', 'The signal ended the call.');
    });
    await using t = await createTestInfra({ tools, clock, store, secrets: [secrets] });
    const jsonSpec = { ...docker, environment: { API_KEY: 'canary' } };
    const create = t.infra.instances.create({ name: 'one', jsonSpec }, { signal: ending.signal });
    await create.catch(() => undefined);
    await committed;
    await t.advance(120_000);
    const [row] = (await t.infra.instances.list()).items;
    expect(row?.status).toBe('running');
    expect(await environmentOf(t.infra, row?.id ?? '')).toMatchObject({ API_KEY: 'canary' });
    expect(ofInstances()).toEqual(['canary']);
  });

  it('is gone at once where the row was refused, and soon where nobody knows', async () => {
    const clock = manualClock();
    const { store: secrets, values, ofInstances } = openSecrets();
    let fails = false;
    const store = altered(memoryStore({ clock }), 'createInstance', (call) =>
      fails ? Promise.reject(mcpError('STORE_FAILED', 'The disk is gone.')) : call(),
    );
    await using t = await createTestInfra({ clock, store, secrets: [secrets] });
    await t.infra.instances.create({ name: 'taken', jsonSpec: docker });
    const jsonSpec = { ...docker, environment: { API_KEY: 'canary' } };
    const taken = t.infra.instances.create({ name: 'taken', jsonSpec });
    await expect(taken).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(ofInstances()).toEqual([]);
    fails = true;
    const lost = t.infra.instances.create({ name: 'lost', jsonSpec });
    await expect(lost).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(ofInstances()).toEqual(['canary']);
    await t.advance(90_000);
    expect(ofInstances()).toEqual([]);
    expect([...values.keys()]).toEqual(['mcpinfra:FINGERPRINT_KEY']);
  });
});

describe('an update that brings a new value', () => {
  it('is rolled back to the value before, also after a restart of the host', async () => {
    const clock = manualClock();
    const { store: secrets, ofInstances } = openSecrets();
    const store = memoryStore({ clock });
    const shared = { tools, clock, store, secrets: [secrets] };
    const t = await createTestInfra(shared);
    const { id } = await t.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, environment: { API_KEY: 'canary-old' } },
    });
    await t.settle();
    t.failNextStart('IMAGE_NOT_FOUND');
    await t.infra.instances.update(id, { jsonSpec: { environment: { API_KEY: 'canary-new' } } });
    await t.advance(120_000);
    expect((await t.infra.instances.get(id)).statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
    expect(ofInstances()).toEqual(['canary-new', 'canary-old']);
    t.crash('one');
    await t.advance(60_000);
    expect(await environmentOf(t.infra, id)).toMatchObject({ API_KEY: 'canary-old' });
    await t.stop();
  });

  it.each(['update', 'ensure', 'set', 'rotate'] as const)(
    'by %s replaces the copy once, and not for the same value again',
    async (how) => {
      const { store: secrets, ofInstances } = openSecrets();
      await using t = await createTestInfra({ tools, secrets: [secrets] });
      const { instances, environment } = t.infra;
      const spec = (value: string) => ({ ...docker, environment: { API_KEY: value } });
      const { id } = await instances.create({ name: 'one', jsonSpec: spec('canary-1') });
      await t.settle();
      const wish = {
        update: (value: string) => instances.update(id, { jsonSpec: spec(value) }),
        ensure: (value: string) => instances.ensure({ name: 'one', jsonSpec: spec(value) }),
        set: (value: string) => environment.set(id, 'API_KEY', value, { secret: true }),
        rotate: (value: string) => environment.rotate(id, 'API_KEY', value),
      }[how];
      for (const [value, generation] of [
        ['canary-1', 1],
        ['canary-2', 2],
        ['canary-2', 2],
        ['canary-1', 3],
        ['canary-1', 3],
      ] as const) {
        await wish(value);
        await t.settle();
        expect((await instances.get(id)).generation).toBe(generation);
        expect(await environmentOf(t.infra, id)).toMatchObject({ API_KEY: value });
      }
      expect(t.provider.copies().at(-1)?.copy.revision).toBe(3);
      await t.advance(120_000);
      expect(ofInstances()).toEqual(['canary-1']);
    },
  );

  it('is of no definition: what one gives in clear for every instance is refused', async () => {
    await using t = await createTestInfra({ tools });
    const refusal = t.infra.servers.register({
      name: 'fs',
      envSchema: [{ name: 'FLAVOUR', secret: true }],
      jsonSpec: { environment: { FLAVOUR: 'canary' } },
    });
    await expect(refusal).rejects.toMatchObject({
      code: 'INVALID_SPEC',
      details: { issues: [{ path: '/jsonSpec/environment/FLAVOUR', code: 'secret_in_clear' }] },
    });
  });

  it('writes a value that was lost again, without another copy', async () => {
    const { store: secrets, values, ofInstances } = openSecrets();
    await using t = await createTestInfra({ tools, secrets: [secrets] });
    const input = { name: 'one', jsonSpec: { ...docker, environment: { API_KEY: 'canary' } } };
    const { id } = await t.infra.instances.ensure(input);
    await t.settle();
    for (const key of values.keys()) if (key.startsWith('instance_')) values.delete(key);
    await t.infra.instances.ensure(input);
    await t.settle();
    expect(ofInstances()).toEqual(['canary']);
    expect(await t.infra.instances.get(id)).toMatchObject({ generation: 1, status: 'running' });
  });
});

describe('environment.set()', () => {
  it('keeps what is a secret a secret, and clears it only when it is told so', async () => {
    const { store: secrets, ofInstances } = openSecrets();
    const clock = manualClock();
    const store = memoryStore({ clock });
    await using t = await createTestInfra({ tools, store, clock, secrets: [secrets] });
    const { environment } = t.infra;
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await environment.set(id, 'EXTRA', 'canary-1', { secret: true });
    await environment.set(id, 'EXTRA', 'canary-2');
    expect(await environment.get(id, 'EXTRA')).toMatchObject({ secret: true, value: null });
    expect(JSON.stringify(await store.instances.get(id))).not.toContain('canary');
    await t.settle();
    expect(await environmentOf(t.infra, id)).toMatchObject({ EXTRA: 'canary-2' });
    await environment.set(id, 'EXTRA', 'plain', { secret: false });
    expect(await environment.get(id, 'EXTRA')).toMatchObject({ secret: false, value: 'plain' });
    await environment.set(id, 'EXTRA', 'canary-3', { secret: true });
    expect(await environment.get(id, 'EXTRA')).toMatchObject({ secret: true });
    await environment.delete(id, 'EXTRA');
    await t.advance(120_000);
    expect(ofInstances()).toEqual([]);
  });

  it('leaves nothing behind where it is refused', async () => {
    const { store: secrets, ofInstances } = openSecrets();
    await using t = await createTestInfra({ secrets: [secrets] });
    const server = await t.infra.servers.register({ name: 'fs', envSchema: [{ name: 'KNOWN' }] });
    const { id } = await t.infra.instances.create({ name: 'one', serverSpecId: server.id, jsonSpec: docker });
    const set = t.infra.environment.set(id, 'UNKNOWN', 'canary', { secret: true });
    const refusal: unknown = await set.catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'INVALID_SPEC' });
    expect(JSON.stringify(refusal)).not.toContain('canary');
    expect(ofInstances()).toEqual([]);
    await t.infra.instances.delete(id);
    await expect(t.infra.environment.set(id, 'KNOWN', 'canary', { secret: true })).rejects.toThrow();
    await t.settle();
    expect(ofInstances()).toEqual([]);
  });
});

it('values of places whose names look alike stay apart', async () => {
  const { store: secrets, ofInstances } = openSecrets();
  await using t = await createTestInfra({ tools, secrets: [secrets] });
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: {
      ...docker,
      registry: { username: 'me', password: 'canary-of-registry' },
      environment: { REGISTRY_PASSWORD: 'canary-of-server', registry_password: 'canary-of-other' },
    },
  });
  await t.settle();
  expect(await environmentOf(t.infra, id)).toMatchObject({
    REGISTRY_PASSWORD: 'canary-of-server',
    registry_password: 'canary-of-other',
  });
  expect(ofInstances()).toEqual(['canary-of-other', 'canary-of-registry', 'canary-of-server']);
});

it('a version that is not kept any more cannot be named again', async () => {
  await using t = await createTestInfra({ tools });
  const { instances } = t.infra;
  const spec = (value: string) => ({ ...docker, environment: { API_KEY: value } });
  const { id, jsonSpec: first } = await instances.create({ name: 'one', jsonSpec: spec('canary-1') });
  await instances.update(id, { jsonSpec: spec('canary-2') });
  const back = instances.update(id, { jsonSpec: spec(first.environment?.['API_KEY'] ?? '') });
  await expect(back).rejects.toMatchObject({ code: 'INVALID_SPEC' });
});

it('a plan and a dry run write nothing, and see that the same value is no change', async () => {
  const { store: secrets, values } = openSecrets();
  await using t = await createTestInfra({ tools, secrets: [secrets] });
  const input = { name: 'one', jsonSpec: { ...docker, environment: { API_KEY: 'canary' } } };
  await t.infra.instances.plan({ create: input });
  expect(values.size).toBe(0);
  await t.infra.apply({ instances: [input] });
  await t.settle();
  const before = [...values];
  const { id } = (await t.infra.instances.list()).items[0] ?? expect.fail();
  const same = await t.infra.instances.plan({ update: id, patch: { jsonSpec: input.jsonSpec } });
  expect(same).toMatchObject({ effect: 'none', changes: [] });
  const patch = { jsonSpec: { environment: { API_KEY: 'canary-2' } } };
  const other = await t.infra.instances.plan({ update: id, patch });
  expect(other).toMatchObject({
    effect: 'replace',
    changes: [{ path: '/environment/API_KEY', kind: 'changed' }],
  });
  expect((await t.infra.apply({ instances: [input] }, { dryRun: true })).unchanged).toHaveLength(1);
  expect([...values]).toEqual(before);
});

it('the values of an instance are the only ones that its removal takes', async () => {
  const { store: secrets, ofInstances } = openSecrets();
  await using t = await createTestInfra({ tools, secrets: [secrets], events: memoryEventBus() });
  const jsonSpec = { ...docker, environment: { API_KEY: 'canary-1' } };
  const one = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.infra.instances.create({
    name: 'two',
    jsonSpec: { ...docker, environment: { API_KEY: 'canary-2' } },
  });
  await t.settle();
  await t.infra.environment.rotate(one.id, 'API_KEY', 'canary-3');
  await t.infra.instances.delete(one.id);
  await t.advance(120_000);
  expect(ofInstances()).toEqual(['canary-2']);
});
