import { describe, expect, it } from 'vitest';
import type { ContainerSpec, RunRequest } from '../plugin.js';
import { sleep } from '../async/sleep.js';
import { memoryStore } from '../index.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 1 } } as const;

/** An engine on which a start takes a second, and is begun anew when it was aborted. */
function slowEngine() {
  const clock = manualClock();
  const provider = fakeProvider({ clock });
  const starts = { begun: 0 };
  const ensureRunning = provider.ensureRunning.bind(provider);
  provider.ensureRunning = async (request: RunRequest<ContainerSpec>, options) => {
    starts.begun += 1;
    await sleep(clock, 1_000, options?.signal);
    return ensureRunning(request, options);
  };
  return { clock, providers: [provider], starts };
}

describe('a command that changes nothing', () => {
  it.each(['ensure', 'start', 'apply', 'update', 'environment.set'] as const)(
    'lets a start go on: %s every half second',
    async (command) => {
      const { starts, ...engine } = slowEngine();
      await using t = await createTestInfra(engine);
      const input = { name: 'one', jsonSpec: { ...docker, environment: { MODE: 'a' } } };
      const { id } = await t.infra.instances.ensure(input);
      const repeat = {
        ensure: () => t.infra.instances.ensure(input),
        start: () => t.infra.instances.start(id),
        apply: () => t.infra.apply({ instances: [input] }),
        update: () => t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test' } }),
        'environment.set': () => t.infra.environment.set(id, 'MODE', 'a'),
      }[command];
      for (let n = 0; n < 6; n++) {
        await t.advance(500);
        await repeat();
      }
      await t.settle();
      expect(starts.begun).toBe(1);
      expect((await t.infra.instances.get(id)).status).toBe('running');
    },
  );

  it('wakes nothing that sleeps and hurries nothing that waits for its next try', async () => {
    await using t = await createTestInfra();
    const asleep = {
      name: 'asleep',
      jsonSpec: { ...docker, lifecycle: { start: 'on-demand', idle_timeout: 60 } },
    } as const;
    const failing = { name: 'failing', jsonSpec: docker };
    await t.infra.apply({ instances: [asleep] });
    await t.advance(62_000);
    t.failNextStart('PROVIDER_FAILED');
    await t.infra.apply({ instances: [failing] });
    await t.settle();
    const events = t.recordedEvents().length;
    const applied = await t.infra.apply({ instances: [asleep, failing] });
    await t.settle();
    expect(applied.unchanged).toHaveLength(2);
    expect(t.recordedEvents()).toHaveLength(events);
  });
});

describe('a new wish for what failed for good', () => {
  const forGood = async (t: Awaited<ReturnType<typeof createTestInfra>>) => {
    t.failNextStart('INVALID_SPEC', 'wrong');
    const { id } = await t.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, environment: { API_KEY: 'abc' } },
    });
    await t.settle();
    expect((await t.infra.instances.get(id)).statusDetail.nextRetryAt).toBeNull();
    return id;
  };

  it('is tried at once: an ensure', async () => {
    await using t = await createTestInfra();
    const id = await forGood(t);
    await t.infra.instances.ensure({ name: 'one', jsonSpec: (await t.infra.instances.get(id)).jsonSpec });
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('running');
  });

  it('is tried at once: a new value of its secret', async () => {
    await using t = await createTestInfra();
    const id = await forGood(t);
    await t.infra.environment.rotate(id, 'API_KEY', 'def');
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('running');
  });

  it('is tried at once: a new definition that is rolled out', async () => {
    await using t = await createTestInfra();
    const server = await t.infra.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1' });
    t.failNextStart('INVALID_SPEC', 'wrong');
    const { id } = await t.infra.instances.create({
      name: 'one',
      serverSpecId: server.id,
      jsonSpec: { type: 'docker' } as typeof docker,
    });
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('failed');
    await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' }, { rollout: 'rolling' });
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('running');
  });
});

describe('ensure()', () => {
  it('waits for one of the same name to be gone, and makes it anew', async () => {
    await using t = await createTestInfra();
    const input = { name: 'one', jsonSpec: docker };
    const before = await t.infra.instances.ensure(input);
    await t.settle();
    t.hang('one');
    await t.infra.instances.delete(before.id);
    const again = t.infra.instances.ensure(input);
    t.unhang('one');
    await t.advance(5_000);
    expect((await again).id).not.toBe(before.id);
    await t.settle();
    expect(await t.infra.instances.count()).toBe(1);
    expect((await t.infra.instances.get((await again).id)).status).toBe('running');
  });

  it('gives up on one that does not go, and says what it hangs on', async () => {
    await using t = await createTestInfra();
    const input = { name: 'one', jsonSpec: docker };
    const { id } = await t.infra.instances.ensure(input);
    await t.settle();
    t.provider.destroy = () => Promise.reject(new Error('the engine burps'));
    await t.infra.instances.delete(id);
    await t.settle();
    const refused = expect(t.infra.instances.ensure(input)).rejects.toMatchObject({
      code: 'INSTANCE_DELETED',
      message: expect.stringContaining('the engine burps') as unknown,
    });
    await t.advance(61_000);
    await refused;
  });

  it('meets another of the same moment without an error', async () => {
    await using t = await createTestInfra();
    const input = { name: 'one', jsonSpec: docker };
    const made = await Promise.all([1, 2, 3, 4].map(() => t.infra.instances.ensure(input)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await t.infra.instances.delete(made[0]!.id);
    const again = Promise.all([1, 2, 3, 4].map(() => t.infra.instances.ensure(input)));
    await t.advance(5_000);
    expect(new Set((await again).map(({ id }) => id)).size).toBe(1);
  });
});

describe('apply({ prune: true })', () => {
  it('removes nothing while a part was refused, and says so', async () => {
    await using t = await createTestInfra();
    await t.infra.apply({ instances: [{ name: 'kept', jsonSpec: docker }] });
    const document = {
      instances: [
        { name: 'new', jsonSpec: docker },
        { name: 'wrong', jsonSpec: { type: 'docker', imagee: 'x' } },
      ],
      prune: true,
    };
    for (const dryRun of [true, false]) {
      const { removed, errors } = await t.infra.apply(document, { dryRun });
      expect(removed).toEqual([]);
      expect(errors.map(({ name }) => name)).toEqual(['instance/wrong', 'prune']);
      expect(errors[1]?.error.message).toContain('instance/wrong');
    }
    expect((await t.infra.instances.list({ name: 'kept' })).items).toHaveLength(1);
  });
});

describe('create()', () => {
  it('keeps the secrets of a row that was made though the store failed to say so', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    const createInstance = store.createInstance.bind(store);
    store.createInstance = async (...args: Parameters<typeof createInstance>) => {
      await createInstance(...args);
      throw new Error('the connection was reset');
    };
    await using t = await createTestInfra({
      clock,
      store,
      tools: { env: (_args, { environment }) => environment },
    });
    const { id } = await t.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, environment: { API_KEY: 'abc' } },
    });
    await t.settle();
    const { structuredContent } = await t.infra.instances.callTool(id, 'env');
    expect(structuredContent).toMatchObject({ API_KEY: 'abc' });
  });
});
