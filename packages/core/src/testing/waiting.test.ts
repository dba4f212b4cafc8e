import { describe, expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 1 } } as const;
const tag = (n: number) => ({ jsonSpec: { image: `mcp/test:${n}` } });

/** Hears how a wait ends, without a rejection that nobody handles. */
const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'true',
    (error: unknown) => (error as { code: string }).code,
  );

describe('a command with { wait: true }', () => {
  it('ends with INSTANCE_STOPPED or INSTANCE_DELETED when somebody stops or deletes what it waits for', async () => {
    await using t = await createTestInfra();
    t.hang('one');
    t.hang('two');
    const one = t.infra.instances.create({ name: 'one', jsonSpec: docker }, { wait: true });
    const two = t.infra.instances.create({ name: 'two', jsonSpec: docker }, { wait: true });
    const ends = Promise.all([outcome(one), outcome(two)]);
    await t.settle();
    const idOf = async (name: string) => (await t.infra.instances.list({ name })).items[0]!.id;
    await t.infra.instances.stop(await idOf('one'));
    await t.infra.instances.delete(await idOf('two'));
    await t.advance(5_000);
    expect(await ends).toEqual(['INSTANCE_STOPPED', 'INSTANCE_DELETED']);
  });

  it('ends with the failure of an update to something that was failing already, its exit and log lines', async () => {
    await using t = await createTestInfra();
    t.failNextStart('PROVIDER_FAILED', 'no such image');
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    expect((await t.infra.instances.get(id)).status).toBe('failed');
    t.failNextStart('PROVIDER_FAILED', 'still no such image');
    const update = t.infra.instances.update(id, tag(2), { wait: true });
    const refused = expect(update).rejects.toMatchObject({
      code: 'PROVIDER_FAILED',
      message: expect.stringContaining('still no such image') as unknown,
      details: {
        statusDetail: { nextRetryAt: expect.any(String) as unknown },
        lastLogLines: expect.any(Array) as unknown,
      },
    });
    await t.settle();
    await refused;
  });

  it('ends with UPDATE_ROLLED_BACK also for ensure()', async () => {
    await using t = await createTestInfra();
    await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    t.failNextStart('IMAGE_NOT_FOUND', 'no such tag');
    const input = { name: 'one', jsonSpec: { ...docker, image: 'mcp/test:2' } };
    const refused = expect(t.infra.instances.ensure(input, { wait: true })).rejects.toMatchObject({
      code: 'UPDATE_ROLLED_BACK',
      message: expect.stringContaining('no such tag') as unknown,
    });
    await t.settle();
    await refused;
  });

  it('of a stop ends with CONFLICT when it is started again before it has stopped', async () => {
    await using t = await createTestInfra();
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    t.hang('one');
    const stop = outcome(t.infra.instances.stop(id, { wait: true }));
    await t.settle();
    await t.infra.instances.start(id);
    t.unhang('one');
    await t.advance(5_000);
    expect(await stop).toBe('CONFLICT');
    expect((await t.infra.instances.get(id)).status).toBe('running');
  });

  it('waits for a change of what is stopped to be taken in, too', async () => {
    await using t = await createTestInfra();
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker, desiredState: 'stopped' });
    const update = t.infra.instances.update(id, tag(2), { wait: true });
    await t.settle();
    const { status, generation, observedGeneration } = await update;
    expect(status).toBe('stopped');
    expect(observedGeneration).toBe(generation);
  });

  it('takes in a later wish that still wants it to run', async () => {
    await using t = await createTestInfra();
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    t.hang('one');
    const waits = [2, 3].map((n) => t.infra.instances.update(id, tag(n), { wait: true }));
    await t.settle();
    t.unhang('one');
    await t.advance(30_000);
    for (const { jsonSpec } of await Promise.all(waits)) expect(jsonSpec.image).toBe('mcp/test:3');
  });

  it('is given to apply(), which waits for all parts and tells those that failed', async () => {
    await using t = await createTestInfra();
    // Loaded with the first document, which takes time that no clock here sees.
    await t.infra.apply({});
    t.hang('one');
    const applied = t.infra.apply(
      {
        instances: [
          { name: 'one', jsonSpec: docker },
          { name: 'two', jsonSpec: docker },
        ],
      },
      { wait: true },
    );
    let done = false;
    void applied.then(() => (done = true));
    await t.settle();
    expect(done).toBe(false);
    expect(await t.infra.instances.count({ status: 'running' })).toBe(1);
    await t.infra.instances.stop((await t.infra.instances.list({ name: 'one' })).items[0]!.id);
    await t.advance(5_000);
    expect((await applied).created).toEqual(['instance/two']);
    expect((await applied).errors).toMatchObject([
      { name: 'instance/one', error: { code: 'INSTANCE_STOPPED' } },
    ]);
  });
});
