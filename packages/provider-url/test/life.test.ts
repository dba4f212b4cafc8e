import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore, type MCPInfra } from '@mcpinfra/core';
import type { UrlSpec } from '@mcpinfra/provider-url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { reach, ready, startInfra, until } from './support/fleet.js';
import { serveBefore, startFixture } from './support/servers.js';

function statusesOf(infra: MCPInfra<UrlSpec>): string[] {
  const told: string[] = [];
  infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
    told.push(`${data.to} ${data.reason}`.trim());
  });
  return told;
}

describe('the documented example', () => {
  it.each<Omit<UrlSpec, 'type' | 'endpoint'>>([
    { health_check: { path: '/health', interval: 30 } },
    { health_check: '/health', timeout: 30 },
    {},
  ])('runs as written with %j', async (rest) => {
    await startFixture(3333);
    const infra = await startInfra({ allow: ['localhost'] });
    const server = await infra.servers.register({ name: 'external-mcp', jsonSpec: { type: 'url' } });
    const { id } = await infra.instances.create({
      name: 'external-instance-1',
      serverSpecId: server.id,
      jsonSpec: { type: 'url', endpoint: 'http://localhost:3333/mcp', ...rest },
    });
    const instance = await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(20_000) });
    expect(instance).toMatchObject({
      status: 'running',
      statusDetail: {
        health: { state: 'healthy' },
        endpoint: { transport: 'streamable-http', url: 'http://localhost:3333/mcp' },
      },
    });
    expect(await infra.instances.callTool(id, 'echo', { text: 'hi' })).toMatchObject({
      content: [{ type: 'text', text: 'hi' }],
    });
    expect((await infra.instances.tools(id)).map(({ name }) => name)).toContain('echo');
    const client = await infra.instances.connect(id);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    await client.close();
    await infra.instances.delete(id, { wait: true });
    expect(await infra.instances.count()).toBe(0);
    expect(await infra.collect()).toEqual({ removed: [], foreign: [] });
  });
});

describe('a remote server', () => {
  it('is stopped and started without being touched', async () => {
    const endpoint = (await startFixture()).href;
    const infra = await startInfra();
    const { id } = await ready(infra, { type: 'url', endpoint });
    const pid = await infra.instances.callTool(id, 'pid', {});
    await infra.instances.stop(id, { wait: true });
    await expect(infra.instances.callTool(id, 'pid', {})).rejects.toMatchObject({ code: 'INSTANCE_STOPPED' });
    await infra.instances.start(id);
    await infra.instances.waitUntilReady(id);
    expect(await infra.instances.callTool(id, 'pid', {})).toEqual(pid);
  });

  it('is followed to another address by an update', async () => {
    const infra = await startInfra();
    const { id } = await ready(infra, { type: 'url', endpoint: (await startFixture()).href });
    const pid = await infra.instances.callTool(id, 'pid', {});
    const endpoint = (await startFixture()).href;
    await infra.instances.update(id, { jsonSpec: { endpoint } }, { wait: true });
    expect((await infra.instances.get(id)).statusDetail.endpoint?.url).toBe(endpoint);
    expect(await infra.instances.callTool(id, 'pid', {})).not.toEqual(pid);
  });

  it('keeps its address when the new one does not answer', async () => {
    const endpoint = (await startFixture()).href;
    const infra = await startInfra();
    const { id } = await ready(infra, { type: 'url', endpoint });
    await infra.instances.update(id, { jsonSpec: { endpoint: 'http://127.0.0.1:1/mcp' } });
    const kept = await reach(infra, id, ({ statusDetail }) => statusDetail.update !== undefined);
    expect(kept).toMatchObject({ status: 'running', statusDetail: { endpoint: { url: endpoint } } });
    expect(kept.statusDetail.update).toMatchObject({ generation: 2, reason: 'CONNECTION_REFUSED' });
  });

  it('stays where it is while it does not answer, is asked less and less, and recovers', async () => {
    let status: number | undefined;
    const front = await serveBefore(await startFixture(), () => status);
    const infra = await startInfra({ resyncEveryMs: 100 });
    const told = statusesOf(infra);
    const health_check = { interval: 0.25, retries: 2, timeout: 5 };
    const { id } = await ready(infra, { type: 'url', endpoint: front.url.href, health_check });
    status = 503;
    const sick = await reach(infra, id, (instance) => instance.status === 'unhealthy');
    expect(sick.statusDetail).toMatchObject({
      reason: 'HTTP_STATUS',
      health: { state: 'unhealthy' },
      restartCount: 0,
    });
    const before = front.seen.length;
    await until(() => front.seen.length >= before + 3);
    expect((await infra.instances.get(id)).status).toBe('unhealthy');
    status = undefined;
    const well = await reach(infra, id, (instance) => instance.status === 'running');
    expect(well.statusDetail).toMatchObject({ reason: '', health: { state: 'healthy' }, restartCount: 0 });
    await infra.instances.callTool(id, 'echo', { text: 'again' });
    await until(() => told.at(-1) === 'running');
    expect(told).toEqual(['starting', 'running', 'unhealthy HTTP_STATUS', 'running']);
  });

  it('runs on over a restart of the host, and nobody is told otherwise', async () => {
    const front = await serveBefore(await startFixture());
    const directory = mkdtempSync(join(tmpdir(), 'provider-url-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const host = async () =>
      startInfra({ store: memoryStore({ file: join(directory, 'store.json') }), resyncEveryMs: 50 });
    const first = await host();
    const toldBefore = statusesOf(first);
    const health_check = { interval: 0.25 };
    const { id } = await ready(first, { type: 'url', endpoint: front.url.href, health_check });
    await until(() => toldBefore.at(-1) === 'running');
    await first.stop();
    const probed = front.seen.length;

    const second = await host();
    const told = statusesOf(second);
    const found = await second.instances.get(id);
    expect(found).toMatchObject({ status: 'running', statusDetail: { health: { state: 'healthy' } } });
    // Probed again by the new host, through many resyncs.
    await until(() => front.seen.length > probed + 3);
    await second.instances.callTool(id, 'echo', { text: 'hi' });
    expect(told).toEqual([]);
    await second.instances.update(id, { labels: { team: 'a' } }, { wait: true });
    expect(await second.instances.get(id)).toMatchObject({ status: 'running', labels: { team: 'a' } });
    // That an update came true is told; the status stays what it was.
    expect(told.filter((status) => status !== 'running')).toEqual([]);
    expect((await second.instances.get(id)).statusDetail.since).toBe(found.statusDetail.since);
    await second.instances.delete(id, { wait: true });
  });
});
