import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('takes an instance from its creation through stop and start to nothing left', async () => {
  await using t = await createTestInfra({ tools: { echo: async (args) => args } });
  const { infra } = t;
  const { id, status } = await infra.instances.create({ name: 'fs-1', jsonSpec: docker });
  expect(status).toBe('pending');
  await t.settle();
  expect(await infra.instances.get(id)).toMatchObject({ status: 'running', observedGeneration: 1 });
  expect(await infra.instances.tools(id)).toEqual([{ name: 'echo', inputSchema: { type: 'object' } }]);
  expect(await infra.instances.callTool(id, 'echo', { a: 1 })).toMatchObject({ structuredContent: { a: 1 } });

  await infra.instances.stop(id);
  await t.settle();
  expect((await infra.instances.get(id)).status).toBe('stopped');
  await expect(infra.instances.callTool(id, 'echo')).rejects.toMatchObject({ code: 'INSTANCE_STOPPED' });
  expect(await infra.instances.tools(id)).toHaveLength(1);

  await infra.instances.start(id);
  await t.settle();
  expect((await infra.instances.get(id)).status).toBe('running');

  await infra.instances.delete(id);
  await t.settle();
  await expect(infra.instances.get(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
  expect(
    t
      .recordedEvents()
      .map((event) => event.type)
      .filter((type) => type !== 'MCPServerInstanceStatusChanged'),
  ).toEqual([
    'MCPServerInstanceCreated',
    'MCPServerInstanceStopped',
    'MCPServerInstanceStarted',
    'MCPServerInstanceDeleted',
    'MCPServerInstanceRemoved',
  ]);
  expect(transitions(t.recordedEvents('MCPServerInstanceStatusChanged'))).toEqual([
    'pending → starting → running',
    'running → stopping → stopped',
    'stopped → pending → starting → running',
    'running → deleting',
  ]);
});

it('gives positions without gaps and the resourceVersion of the row after the change', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const events = t.recordedEvents();
  expect(events.map((event) => event.position)).toEqual(events.map((_, i) => i + 1));
  const versions = events.filter((event) => event.subject === id).map((event) => event.resourceVersion);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(versions.at(-1)).toBe((await t.infra.instances.get(id)).resourceVersion);
});

it('makes a new copy at restart and keeps none of the old one', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  await t.infra.instances.restart(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
  expect(await t.leaks()).toEqual([]);
});

it('resolves a start, a stop and a delete of what already is so, without an event', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const before = t.recordedEvents().length;
  await t.infra.instances.start(id);
  await t.settle();
  expect(t.recordedEvents()).toHaveLength(before);
  await t.infra.instances.stop(id);
  await t.settle();
  const stopped = t.recordedEvents().length;
  await t.infra.instances.stop(id);
  await t.settle();
  expect(t.recordedEvents()).toHaveLength(stopped);
  await t.infra.instances.delete(id);
  await t.settle();
  await t.infra.instances.delete(id);
});

it('waits with a command until it has come true', async () => {
  await using t = await createTestInfra();
  const created = await t.infra.instances.create({ name: 'one', jsonSpec: docker }, { wait: true });
  expect(created.status).toBe('running');
  expect((await t.infra.instances.stop(created.id, { wait: true })).status).toBe('stopped');
  expect((await t.infra.instances.start(created.id, { wait: true })).status).toBe('running');
  expect((await t.infra.instances.restart(created.id, { wait: true })).status).toBe('running');
  await t.infra.instances.delete(created.id, { wait: true });
  expect(await t.infra.instances.count()).toBe(0);
});

it('leaves a copy alone that was made stopped until it is started', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker, desiredState: 'stopped' });
  await t.advance(60_000);
  expect((await t.infra.instances.get(id)).status).toBe('stopped');
  expect(t.provider.copies()).toEqual([]);
  await t.infra.instances.start(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
});

it('starts anew what was removed behind its back, without counting a crash', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const [copy] = t.provider.copies();
  await t.provider.destroy(copy!.copy, { graceMs: 0 });
  await t.advance(31_000);
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'running',
    statusDetail: { restartCount: 0 },
  });
});

it('ends a delete during a start that hangs with nothing left', async () => {
  await using t = await createTestInfra();
  t.hang('one');
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { stop_grace: 2 } },
  });
  await t.advance(5_000);
  expect((await t.infra.instances.get(id)).status).toBe('starting');
  await t.infra.instances.delete(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('deleting');
  await t.advance(2_000);
  await expect(t.infra.instances.get(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(t.provider.copies()).toEqual([]);
  expect(await t.leaks()).toEqual([]);
});

it('runs the ninth while eight others hang at their start', async () => {
  await using t = await createTestInfra();
  for (let i = 1; i <= 8; i++) {
    t.hang(`hanging-${i}`);
    await t.infra.instances.create({ name: `hanging-${i}`, jsonSpec: docker });
  }
  await t.settle();
  const { id } = await t.infra.instances.create({ name: 'ninth', jsonSpec: docker });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(await t.infra.instances.count({ status: 'starting' })).toBe(8);
});

it('runs many instances at once', async () => {
  await using t = await createTestInfra({ tools: { whoami: (_args, { instanceId }) => instanceId } });
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) {
    ids.push((await t.infra.instances.create({ name: `many-${i}`, jsonSpec: docker })).id);
  }
  await t.settle();
  expect(await t.infra.instances.count({ status: 'running' })).toBe(60);
  const answers = await Promise.all(ids.map((id) => t.infra.instances.callTool(id, 'whoami')));
  expect(answers.map(({ content }) => content[0]?.['text'])).toEqual(ids);
});

it('takes over after a stop of the host what its predecessor left running', async () => {
  const { fakeProvider } = await import('./fake-provider.js');
  const { manualClock } = await import('./manual-clock.js');
  const { memoryStore } = await import('../index.js');
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { tmpdir } = await import('node:os');
  const directory = mkdtempSync(join(tmpdir(), 'mcpinfra-'));
  const clock = manualClock();
  const provider = fakeProvider({ clock });
  const open = () =>
    createTestInfra({
      clock,
      providers: [provider],
      store: memoryStore({ file: join(directory, 'store.json'), clock }),
    });
  try {
    const before = await open();
    const { id } = await before.infra.instances.create({ name: 'one', jsonSpec: docker });
    await before.settle();
    await before.stop();
    expect(provider.copies()).toMatchObject([{ state: 'running', copy: { revision: 1 } }]);
    expect(await before.leaks()).toEqual([]);
    provider.crash('one');

    const after = await open();
    expect(await after.infra.instances.get(id)).toMatchObject({
      status: 'running',
      statusDetail: { restartCount: 1 },
    });
    expect(provider.copies()).toMatchObject([{ state: 'running', copy: { revision: 1 } }]);
    await after.stop();
    expect(await after.leaks()).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Runs of statuses; a new one begins where a command began it. */
function transitions(
  events: readonly { readonly data: { readonly from: string; readonly to: string } }[],
): readonly string[] {
  const runs: string[] = [];
  const rests = new Set(['running', 'stopped', 'idle', 'failed']);
  for (const { data } of events) {
    const last = runs.at(-1);
    if (last === undefined || rests.has(data.from)) runs.push(`${data.from} → ${data.to}`);
    else runs[runs.length - 1] = `${last} → ${data.to}`;
  }
  return runs;
}
