import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { createMCPInfra, memorySecrets, memoryStore } from '@mcpinfra/core';
import { recordingLogger } from '@mcpinfra/core/testing';
import { agentAreaBridge } from '@mcpinfra/events-redis';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { seedImages, startDockerEngine, startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { expect, it, onTestFinished } from 'vitest';
import { startPlatform, until, type Platform } from './agentarea-support.js';

const redis = serviceOrSkip(startRedis);
const engine = serviceOrSkip(async () => {
  const started = await startDockerEngine();
  await seedImages(started, ['mcp/test:latest', 'mcp/hostile:latest']);
  return started;
});

/** Every container of a fleet, as the engine describes it. */
async function containersOf(socketPath: string, fleet: string): Promise<unknown[]> {
  const filters = JSON.stringify({ label: [`io.mcpinfra.fleet=${fleet}`] });
  const list = (await ask(socketPath, `/containers/json?all=1&filters=${encodeURIComponent(filters)}`)) as {
    Id: string;
  }[];
  return Promise.all(list.map(({ Id: id }) => ask(socketPath, `/containers/${id}/json`)));
}

async function ask(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => resolve(json(response)))
      .on('error', reject)
      .end();
  });
}

async function startHost(platform: Platform) {
  const { socketPath } = engine();
  const fleet = `test-${randomUUID()}`;
  const logger = recordingLogger();
  const infra = createMCPInfra({
    providers: [dockerProvider({ socketPath })],
    store: memoryStore({ fleet }),
    secrets: [memorySecrets()],
    logger,
  });
  await infra.start();
  const { url, prefix } = platform;
  const bridge = agentAreaBridge(infra, { url, channelPrefix: prefix, prefix: `${prefix}bridge`, logger });
  const containers = () => containersOf(socketPath, fleet);
  onTestFinished(async () => {
    await bridge.stop();
    const { items } = await infra.instances.list();
    await Promise.all(items.map(({ id }) => infra.instances.delete(id, { wait: true })));
    await infra.stop();
    expect(await containers()).toEqual([]);
  });
  await bridge.start();
  return { infra, logger, containers };
}

const http = ['--http', '--host', '0.0.0.0', '--port', '8000'];

it('runs a container for a wish in the bytes of the platform, tells of it in its words, and removes it', async () => {
  const platform = await startPlatform(redis().url);
  const { infra, containers, logger } = await startHost(platform);
  const created = platform.created({
    name: 'Filesystem Instance',
    json_spec: {
      image: 'mcp/test:latest',
      port: 8000,
      cmd: http,
      environment: { LEVEL: 3, API_KEY: 'canary-4711' },
      resources: { memory_limit: '128m', cpu_limit: '0.5' },
      health_check: null,
    },
  });
  await platform.publish('MCPServerInstanceCreated', created);
  await until(() => platform.statuses(created.instance_id).includes('running'), 25_000);
  expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
  expect(platform.heard.at(-1)).toMatchObject({
    name: 'Filesystem Instance',
    url: expect.stringMatching(/^http:\/\/[\d.]+:8000\/mcp$/u) as string,
  });
  const [container, ...others] = await containers();
  expect(others).toEqual([]);
  expect(container).toMatchObject({
    Config: {
      Cmd: http,
      Env: expect.arrayContaining([
        'LEVEL=3',
        `MCP_INSTANCE_ID=${created.instance_id}`,
        'MCP_SERVICE_NAME=Filesystem Instance',
        'MCP_CONTAINER_PORT=8000',
      ]) as string[],
    },
    HostConfig: { Memory: 128 * 1024 * 1024, NanoCpus: 500_000_000 },
  });
  const answer = await infra.instances.callTool(created.instance_id, 'echo', { text: 'over the wire' });
  expect(JSON.stringify(answer.content)).toContain('over the wire');
  expect(JSON.stringify([platform.heard, logger.lines])).not.toContain('canary');

  await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
  await until(async () => (await containers()).length === 0, 25_000);
  await until(async () => (await infra.instances.count()) === 0);
});

it.each([
  ['an image that is not there', { image: 'mcp/no-such-image:latest', port: 8000 }, 'IMAGE_'],
  ['a server that exits at once', { image: 'mcp/hostile:latest', cmd: ['exit-at-once'] }, 'EXITED_AT_START'],
])('tells of %s as failed, with the reason', async (_what, json_spec, code) => {
  const platform = await startPlatform(redis().url);
  const { containers } = await startHost(platform);
  const created = platform.created({ json_spec: { type: 'docker', ...json_spec } });
  await platform.publish('MCPServerInstanceCreated', created);
  await until(() => platform.statuses(created.instance_id).includes('failed'), 25_000);
  const failed = platform.heard.findIndex(({ event }) => event === 'MCPServerInstanceError');
  expect(platform.heard[failed]?.error).toContain(code);
  expect(platform.heard[failed + 1]).toMatchObject({ status: 'failed', instanceId: created.instance_id });
  await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
  await until(async () => (await containers()).length === 0, 25_000);
});
