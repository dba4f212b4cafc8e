import { expect, it } from 'vitest';
import type { ContainerSpec, RunRequest } from '../plugin.js';
import { remote } from './fake-kinds.fixture.js';
import { altered } from './altered.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const big = { type: 'docker', image: 'mcp/big' } as const;
const url = { type: 'remote', endpoint: 'https://mcp.example.com/mcp' } as const;

/** An engine that fetches `mcp/big` until it is told to end. */
function slowPulls() {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const pulls: { readonly end: () => void; readonly signal: AbortSignal | undefined }[] = [];
  const provider = altered(fake, {
    isPrepared: async ({ spec }: RunRequest<ContainerSpec>) => spec.image !== 'mcp/big',
    prepare: ({ spec, onProgress }: RunRequest<ContainerSpec>, options) => {
      onProgress({ phase: 'pulling', image: spec.image, completedBytes: 0, totalBytes: null });
      return new Promise<void>((resolve) => pulls.push({ end: resolve, signal: options?.signal }));
    },
  });
  return { clock, provider, pulls };
}

it('stops, deletes and creates while more instances than places wait for their image', async () => {
  const { clock, provider, pulls } = slowPulls();
  await using t = await createTestInfra({ clock, providers: [provider], concurrency: { reconciles: 4 } });
  const old = await t.infra.instances.create({ name: 'old', jsonSpec: docker });
  const older = await t.infra.instances.create({ name: 'older', jsonSpec: docker });
  await t.settle();
  for (let n = 0; n < 12; n++) await t.infra.instances.create({ name: `big-${String(n)}`, jsonSpec: big });
  await t.settle();
  const fresh = await t.infra.instances.create({ name: 'new', jsonSpec: docker });
  await t.infra.instances.stop(old.id);
  await t.infra.instances.delete(older.id);
  await t.settle();
  expect((await t.infra.instances.get(fresh.id)).status).toBe('running');
  expect((await t.infra.instances.get(old.id)).status).toBe('stopped');
  expect(await t.infra.instances.count({ name: 'older' })).toBe(0);
  // News in plenty does not begin a fetch anew.
  await t.advance(120_000);
  expect(pulls).toHaveLength(3);
});

it('says of those in line that they wait, and behind how many', async () => {
  const { clock, provider, pulls } = slowPulls();
  await using t = await createTestInfra({ clock, providers: [provider] });
  const ids: string[] = [];
  for (let n = 0; n < 5; n++)
    ids.push((await t.infra.instances.create({ name: `big-${String(n)}`, jsonSpec: big })).id);
  await t.advance(1_500);
  const seen = await Promise.all(ids.map((id) => t.infra.instances.get(id)));
  expect(seen.map(({ status }) => status).sort()).toEqual([
    'pending',
    'pending',
    'pulling',
    'pulling',
    'pulling',
  ]);
  const waiting = seen.filter(({ status }) => status === 'pending');
  expect(waiting.map(({ statusDetail }) => statusDetail.reason)).toEqual([
    'WAITING_FOR_SLOT',
    'WAITING_FOR_SLOT',
  ]);
  expect(
    waiting.map(({ statusDetail }) => /with (\d) before it/u.exec(statusDetail.message)?.[1]).sort(),
  ).toEqual(['3', '4']);
  for (const { end } of pulls.splice(0)) end();
  await t.settle();
  for (const { end } of pulls.splice(0)) end();
  await t.settle();
  for (const id of ids)
    expect(await t.infra.instances.get(id)).toMatchObject({
      status: 'running',
      statusDetail: { reason: '' },
    });
});

it('ends a fetch that nobody wants any more', async () => {
  const { clock, provider, pulls } = slowPulls();
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'big', jsonSpec: big });
  await t.settle();
  await t.infra.instances.delete(id);
  await t.settle();
  expect(pulls.map(({ signal }) => signal?.aborted)).toEqual([true]);
  expect(await t.infra.instances.count()).toBe(0);
});

it('starts the old copy again while the image of the new one is fetched', async () => {
  const { clock, provider, pulls } = slowPulls();
  await using t = await createTestInfra({ clock, providers: [provider] });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.infra.instances.update(id, { jsonSpec: { image: 'mcp/big' } });
  await t.settle();
  t.crash('one');
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { restartCount: 1 },
  });
  expect(pulls).toHaveLength(1);
  pulls[0]?.end();
  await t.settle();
  expect(provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/big']);
});

it('gives up a look for an image after the time of an ordinary call, and leaves a fetch its own', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  let swallows = true;
  const provider = altered(fake, {
    prepare: async () => {
      if (swallows) await new Promise(() => undefined);
    },
  });
  await using t = await createTestInfra({ clock, providers: [provider] });
  const ids: string[] = [];
  for (let n = 0; n < 5; n++)
    ids.push((await t.infra.instances.create({ name: `i-${String(n)}`, jsonSpec: docker })).id);
  await t.advance(60_000);
  expect((await t.infra.instances.get(ids[0] ?? '')).statusDetail.reason).toBe('PLUGIN_TIMEOUT');
  swallows = false;
  await t.advance(30_000);
  for (const id of ids) expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('starts what lives elsewhere, and other tenants in turn, while the starts of one engine hang', async () => {
  const clock = manualClock();
  const fake = fakeProvider({ clock });
  const elsewhere = fakeProvider({ ...remote, clock });
  const starts: { readonly name: string; readonly end: () => void }[] = [];
  const provider = altered(fake, {
    ensureRunning: async (request: RunRequest<ContainerSpec>, options) => {
      await new Promise<void>((resolve) => starts.push({ name: request.instanceName, end: resolve }));
      return fake.ensureRunning(request, options);
    },
  });
  await using t = await createTestInfra({
    clock,
    providers: [provider, elsewhere],
    concurrency: { reconciles: 4 },
  });
  for (let n = 0; n < 12; n++) await t.infra.instances.create({ name: `i-${String(n)}`, jsonSpec: docker });
  await t.settle();
  const other = await t.infra.scope({ tenant: 'other' }).instances.create({ name: 'late', jsonSpec: docker });
  const { id } = await t.infra.instances.create({ name: 'remote', jsonSpec: url });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  await t.advance(70_000);
  expect((await t.infra.health()).degraded).toEqual([
    expect.objectContaining({
      part: 'starts:fake:docker',
      message: expect.stringContaining('under way for') as string,
    }),
  ]);
  for (const { end } of starts.splice(0)) end();
  await t.settle();
  for (const { end } of starts.splice(0)) end();
  await t.settle();
  expect((await t.infra.instances.get(other.id)).status).toBe('running');
  for (let turn = 0; turn < 4; turn++) {
    for (const { end } of starts.splice(0)) end();
    await t.settle();
  }
  await t.advance(10_000);
  expect((await t.infra.health()).status).toBe('ok');
});
