import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const mayMount = process.platform === 'linux' && process.getuid?.() === 0;
let disk: string;

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'mcpinfra-full-'));
  if (mayMount) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk]);
});

afterEach(async () => {
  if (mayMount) execFileSync('umount', ['--lazy', disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  const isFull = (size: number): Promise<boolean> =>
    appendFile(path, Buffer.alloc(size)).then(
      () => false,
      () => true,
    );
  for (const size of [4096, 1]) while (!(await isFull(size)));
}

async function seen({ infra }: TestInfra) {
  const { status, degraded } = await infra.health();
  const line = (await infra.doctor()).find(({ name }) => name === 'store');
  return { status, parts: degraded.map(({ part }) => part), doctor: line?.ok };
}

describe.runIf(mayMount)('a fleet whose disk is full', () => {
  it('is degraded by its store until that can write again, and goes on serving', async () => {
    const clock = manualClock();
    const store = memoryStore({ file: join(disk, 'fleet.json'), clock });
    await using t = await createTestInfra({ clock, store, tools: { echo: (args) => args } });
    const jsonSpec = { type: 'docker', image: 'mcp/test' } as const;
    const { id } = await t.infra.instances.create({ name: 'one', jsonSpec }, { wait: true });
    await t.settle();
    expect(await seen(t)).toEqual({ status: 'ok', parts: [], doctor: true });

    await fill(join(disk, 'ballast'));
    await expect(t.infra.instances.create({ name: 'two', jsonSpec })).rejects.toMatchObject({
      code: 'STORE_FAILED',
    });
    await t.settle();
    expect(await seen(t)).toMatchObject({ status: 'degraded', doctor: false });
    expect((await seen(t)).parts).toContain('store');
    await t.advance(60_000);
    expect((await seen(t)).parts).toContain('store');
    expect(await t.infra.instances.callTool(id, 'echo', { a: 1 })).toMatchObject({
      structuredContent: { a: 1 },
    });

    await unlink(join(disk, 'ballast'));
    await t.advance(60_000);
    expect(await seen(t)).toEqual({ status: 'ok', parts: [], doctor: true });
    expect((await t.infra.instances.create({ name: 'two', jsonSpec }, { wait: true })).status).toBe(
      'running',
    );
    const told = (type: 'FleetDegraded' | 'FleetRecovered') =>
      t.recordedEvents(type).filter(({ data }) => data.part === 'store').length;
    expect(told('FleetRecovered')).toBe(told('FleetDegraded'));
    await t.stop();
    const again = memoryStore({ file: join(disk, 'fleet.json') });
    await again.open();
    expect((await again.instances.list({ limit: 9 })).items).toHaveLength(2);
    await again.close();
  });
});
