import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MCPInfraError, type Event, type MCPInfra } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { lookAfterGroups, makeInstance, read, subscribe, tenant, wish } from '../src/concepts.js';
import { call, connect, endAtSignals, ensure, look, wire } from '../src/getting-started.js';

const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
const before = process.cwd();
let directory: string;
let infra: MCPInfra<ProcessSpec>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpinfra-guide-'));
  process.chdir(directory);
  vi.spyOn(console, 'log').mockReturnValue();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  infra = await wire();
});

afterEach(async () => {
  await infra.stop();
  vi.restoreAllMocks();
  process.chdir(before);
  await rm(directory, { recursive: true });
});

it('is a host that makes sure of its instance at each start, calls, connects and looks', async () => {
  const id = await ensure(infra, script);
  await call(infra, id);
  expect(console.log).toHaveBeenLastCalledWith(13, false, 'The sum of 19 and 23 is 42.');
  await connect(infra, id);
  expect(console.log).toHaveBeenLastCalledWith(expect.any(Number));
  await look(infra, id);
  expect(console.log).toHaveBeenCalledWith('everything', 'running', '');
  expect(console.log).toHaveBeenCalledWith('stderr', expect.any(String));

  await infra.stop();
  infra = await wire();
  expect(await ensure(infra, script)).toBe(id);
});

it('ends when it is asked to', async () => {
  endAtSignals(infra);
  process.emit('SIGTERM');
  await vi.waitUntil(async () => (await infra.health()).status === 'stopped', { timeout: 20_000 });
});

it('has the concepts of the guide', async () => {
  const id = await makeInstance(infra, script);
  expect(console.log).toHaveBeenLastCalledWith(expect.stringMatching(/^everything-1-[0-9a-f]{8}$/));
  await infra.instances.waitUntilReady(id);
  await wish(infra, id);
  expect(await infra.instances.get(id)).toMatchObject({ status: 'running', desiredState: 'running' });

  const heard: Event[] = [];
  let failures = 0;
  const subscription = await subscribe(infra, async (event) => {
    if (failures++ === 0) throw new Error('the audit log is away');
    heard.push(event);
  });
  const refused = await tenant(infra)
    .instances.get(id)
    .catch((error: unknown) => error);
  expect(MCPInfraError.isInstance(refused) && refused.code).toBe('NOT_FOUND');
  await infra.instances.delete(id, { wait: true });
  await vi.waitUntil(() => heard.length === 2, { timeout: 20_000 });
  await subscription.close();
  await lookAfterGroups(infra);
  expect(console.log).toHaveBeenLastCalledWith(
    expect.stringMatching(/^audit: \d+ events behind, 0 given up$/),
  );
  const shown: number[] = [];
  const reading = new AbortController();
  const show = async ({ position }: Event): Promise<void> => {
    if (shown.push(position) === 3) reading.abort();
  };
  await read(infra, show, { lastPosition: 1, signal: reading.signal });
  expect(shown).toEqual([2, 3, 4]);
  expect(heard.map(({ type }) => type)).toEqual(['MCPServerInstanceCreated', 'MCPServerInstanceDeleted']);
  expect(failures).toBe(3);
});
