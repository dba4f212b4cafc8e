import { expect, it } from 'vitest';
import { type ContainerSpec, type CopyRef, type Observation, type RunRequest } from '../plugin.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test:1' } as const;
const toBadImage = { jsonSpec: { image: 'mcp/test:bad' } };

/** An infra whose engine runs the image `bad` until a moment after its start, and says so. */
async function withBadImage() {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const listeners = new Set<(copy: CopyRef) => void>();
  const bad = new Set<number>();
  const ended = new Set<number>();
  const starts: number[] = [];
  const provider = altered(fake, {
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ensureRunning: async (request: RunRequest<ContainerSpec>, options) => {
      if (request.spec.image !== 'mcp/test:bad') return fake.ensureRunning(request, options);
      const { copy } = request;
      starts.push(clock.now());
      bad.add(copy.revision);
      setImmediate(() => {
        ended.add(copy.revision);
        for (const listener of listeners) listener(copy);
      });
      return {
        state: 'running',
        startedAt: new Date(clock.now()).toISOString(),
        endpoint: { transport: 'stdio' },
      };
    },
    observe: async (copy, options): Promise<Observation> => {
      const at = new Date(clock.now()).toISOString();
      if (bad.has(copy.revision) && !ended.has(copy.revision))
        return { state: 'running', startedAt: at, endpoint: { transport: 'stdio' } };
      if (!ended.has(copy.revision)) return fake.observe(copy, options);
      const lastLogLines = ['no such table'];
      return { state: 'exited', exit: { at, exitCode: 3, signal: null, oomKilled: false, lastLogLines } };
    },
  });
  const t = await createTestInfra({ clock, providers: [provider] });
  return { t, starts };
}

it('tries a new copy that exits at once with back-off, then rolls back and says how it ended', async () => {
  const { t, starts } = await withBadImage();
  await using _ended = t;
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.infra.instances.update(id, toBadImage);
  await t.settle();
  const first = await t.infra.instances.get(id);
  expect(first.status).toBe('running');
  expect(first.statusDetail.update).toMatchObject({
    generation: 2,
    reason: 'EXITED_AT_START',
    attempts: 1,
    lastExit: { exitCode: 3, lastLogLines: ['no such table'] },
  });
  expect(first.statusDetail.update?.nextRetryAt).not.toBeNull();
  await t.advance(120_000);
  expect(starts.length).toBeGreaterThan(3);
  expect(starts.length).toBeLessThan(9);
  const after = await t.infra.instances.get(id);
  expect(after).toMatchObject({
    status: 'running',
    generation: 2,
    observedGeneration: 1,
    statusDetail: { reason: 'UPDATE_ROLLED_BACK', update: { reason: 'EXITED_AT_START', nextRetryAt: null } },
  });
  expect(after.statusDetail.message).toContain('exited with code 3');
  expect(after.statusDetail.message).toContain('no such table');
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([1]);
  await t.advance(600_000);
  expect(starts.length).toBeLessThan(9);
});

it('makes an update true whose new copy failed for a moment only', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.failNextStart('HTTP_STATUS', 'The server answered with 500.');
  t.failNextStart('HTTP_STATUS', 'The server answered with 500.');
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test:2' } });
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    observedGeneration: 1,
    statusDetail: { reason: '', update: { reason: 'HTTP_STATUS', attempts: 1 } },
  });
  await t.advance(10_000);
  const { status, observedGeneration, statusDetail } = await t.infra.instances.get(id);
  expect([status, observedGeneration, statusDetail.update]).toEqual(['running', 2, undefined]);
  expect(t.provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/test:2']);
  expect(await t.leaks()).toEqual([]);
});

it('goes on saying that an update was given up, whatever health does, until there is another', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, health_check: { interval: 5, timeout: 2 } },
  });
  await t.settle();
  t.failNextStart('IMAGE_NOT_FOUND', 'no such tag');
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test:2' } });
  await t.settle();
  const told = (await t.infra.instances.get(id)).statusDetail.update;
  expect(told).toMatchObject({ generation: 2, reason: 'IMAGE_NOT_FOUND', nextRetryAt: null });
  t.hang('one');
  await t.advance(30_000);
  expect((await t.infra.instances.get(id)).statusDetail.update).toEqual(told);
  t.unhang('one');
  await t.advance(120_000);
  const well = await t.infra.instances.get(id);
  expect([well.status, well.statusDetail.reason]).toEqual(['running', 'UPDATE_ROLLED_BACK']);
  expect(well.statusDetail.message).toContain('no such tag');
  expect(well.statusDetail.update).toEqual(told);
  expect([well.generation, well.observedGeneration]).toEqual([2, 1]);
  expect((await t.infra.instances.waitUntilReady(id)).status).toBe('running');
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test:3' } });
  await t.advance(1_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    observedGeneration: 3,
    statusDetail: { reason: '' },
  });
  expect((await t.infra.instances.get(id)).statusDetail.update).toBeUndefined();
});

it('starts the old copy again at once when it crashes while the new one is brought up', async () => {
  await using t = await createTestInfra({ tools: { image: () => 'here' } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.hang('one');
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test:2' } });
  await t.settle();
  expect(t.provider.copies()).toHaveLength(2);
  t.crash('one');
  await t.settle();
  expect((await t.infra.instances.get(id)).status).not.toBe('running');
  t.unhang('one');
  await t.advance(5_000);
  expect(await t.infra.instances.get(id)).toMatchObject({ status: 'running' });
  expect(await t.infra.instances.callTool(id, 'image')).toMatchObject({ content: [{ text: 'here' }] });
});

it('tries a failed update again where two copies cannot run side by side, and serves in between', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  await using t = await createTestInfra({
    clock,
    providers: [altered(fake, { canOverlap: () => false })],
  });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  fake.failNextStart('PROVIDER_FAILED', 'busy');
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/test:2' } });
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { update: { reason: 'PROVIDER_FAILED' } },
  });
  expect(fake.copies().map(({ spec }) => spec.image)).toEqual(['mcp/test:1']);
  await t.advance(2_000);
  expect(fake.copies().map(({ spec }) => spec.image)).toEqual(['mcp/test:2']);
  expect(await t.infra.instances.get(id)).toMatchObject({ status: 'running', observedGeneration: 2 });
});
