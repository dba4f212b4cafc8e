import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MCPInfra } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { externalCredentials, seedImages, startDockerEngine, startExternalServer } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import {
  applyDocument,
  hearFailures,
  keepInFile,
  reachRemote,
  runContainer,
  sleepAndWake,
  update,
  useSecrets,
  waitForFailure,
  wireContainers,
  wireRemote,
  wireSecrets,
} from '../src/guide.js';
import { serverContainers } from '../src/server-containers.js';
import { textOf } from '../src/servers.js';

const server = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
let infra: MCPInfra<ProcessSpec>;

beforeEach(async () => {
  vi.stubEnv('EVERYTHING_API_KEY', 'the key of the host');
  vi.spyOn(console, 'log').mockReturnValue();
  vi.spyOn(console, 'error').mockReturnValue();
  infra = wireSecrets();
  await infra.start();
});

afterEach(async () => {
  await infra.stop();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function environmentOf(id: string): Promise<Record<string, string>> {
  return JSON.parse(textOf(await infra.instances.callTool(id, 'get-env'))) as Record<string, string>;
}

describe('the guide', () => {
  it('gives secrets by reference, moves one given in clear, and rotates it', async () => {
    const id = await useSecrets(infra, server);
    await infra.instances.waitUntilReady(id);
    expect(await environmentOf(id)).toMatchObject({
      API_KEY: 'the key of the host',
      DATABASE_URL: 'postgres://app:the key of the host@db/app',
      SESSION_SECRET: 'a new value',
    });
    const reference = new RegExp(`^secret_ref:instance_${id}:environment\\.SESSION_SECRET\\.[\\w-]+$`, 'u');
    expect(console.log).toHaveBeenCalledWith(expect.stringMatching(reference));
  });

  it('tells why an instance failed, to who waits and to who listens', async () => {
    const off = hearFailures(infra);
    await waitForFailure(infra);
    expect(console.error).toHaveBeenCalledWith('COMMAND_NOT_FOUND');
    await vi.waitFor(() =>
      expect(console.error).toHaveBeenCalledWith(
        'broken',
        'COMMAND_NOT_FOUND',
        expect.stringContaining('no-such-command'),
        null,
      ),
    );
    off();
  });

  it('applies a document, and replaces a copy that is updated', async () => {
    const document = await applyDocument(infra, server);
    expect(document.instances?.map(({ name }) => name)).toEqual(['everything']);
    const [instance] = (await infra.instances.list()).items;
    await infra.instances.waitUntilReady(instance!.id);
    expect(await environmentOf(instance!.id)).toMatchObject({ LOG_LEVEL: 'info' });
    await update(infra, instance!.id);
    expect(await environmentOf(instance!.id)).toMatchObject({ LOG_LEVEL: 'debug' });
    expect(await infra.apply(document)).toMatchObject({ updated: ['instance/everything'] });
  });

  it('lets an instance sleep and wakes it by a call', async () => {
    const id = await sleepAndWake(infra, server);
    expect(await infra.instances.get(id)).toMatchObject({ status: 'running' });
  });

  it('keeps a fleet in a file', async () => {
    await inNewDirectory(async () => {
      const kept = await keepInFile();
      const made = await kept.instances.create({
        name: 'kept',
        jsonSpec: { type: 'process', command: ['node', server] },
      });
      await kept.instances.waitUntilReady(made.id);
      await kept.stop();
      expect(existsSync('fleet.json')).toBe(true);

      const again = await keepInFile();
      const ready = await again.instances.waitUntilReady(made.id);
      await again.stop();
      expect(ready).toMatchObject({ name: 'kept', slug: made.slug });
    });
  });

  it('reaches a server that runs elsewhere', async () => {
    const external = await startExternalServer();
    vi.stubEnv('EXTERNAL_TOKEN', externalCredentials.token);
    const remote = wireRemote();
    try {
      await remote.start();
      const id = await reachRemote(remote, `http://localhost:${external.port}/bearer/mcp`);
      expect(textOf(await remote.instances.callTool(id, 'echo', { text: 'hello' }))).toBe('hello');
    } finally {
      await remote.stop();
      await external.stop();
    }
  });
});

describe('the guide to containers', () => {
  const engine = serviceOrSkip(async () => {
    const started = await startDockerEngine();
    await seedImages(started, ['mcp/filesystem:latest']);
    return started;
  });

  it('runs a server in a container, which the next host adopts', async () => {
    const { socketPath } = engine();
    const containers = serverContainers(engine());
    await inNewDirectory(async () => {
      const host = wireContainers(socketPath);
      await host.start();
      const id = await runContainer(host);
      const pids = await containers.pidsOf(id);
      await host.stop();

      const next = wireContainers(socketPath);
      await next.start();
      await next.instances.waitUntilReady(id);
      const answer = await next.instances.callTool(id, 'list_allowed_directories');
      expect(textOf(answer)).toContain('/data');
      expect(pids).toHaveLength(1);
      expect(await containers.pidsOf(id)).toEqual(pids);
      await next.instances.delete(id, { wait: true });
      expect(await containers.remains(next.identity.fleet)).toEqual([]);
      await next.stop();
    });
  });
});

async function inNewDirectory(action: () => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-guide-'));
  const before = process.cwd();
  try {
    process.chdir(directory);
    await action();
  } finally {
    process.chdir(before);
    await rm(directory, { recursive: true });
  }
}
