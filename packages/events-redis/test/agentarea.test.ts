import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMCPInfra, memoryEventBus, memoryStore } from '@mcpinfra/core';
import { fakeProvider } from '@mcpinfra/core/testing';
import { agentAreaBridge, agentAreaCodec, type AgentAreaInfra } from '@mcpinfra/events-redis';
import { urlProvider } from '@mcpinfra/provider-url';
import { freezableProxy, startPrivateRedis, startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordingSecrets, shared, startHost, startPlatform, until, wireBytes } from './agentarea-support.js';

const redis = serviceOrSkip(startRedis);
const docker = { type: 'docker', image: 'mcp/test', port: 8000 };

describe('a wish that the platform publishes', () => {
  it('is told as validating, starting and running, once each and in that order', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform, { gatewayUrl: 'https://mcp.example.com/mcp' });
    const created = platform.created({ name: 'fs-instance-1', json_spec: docker });
    expect(await platform.publish('MCPServerInstanceCreated', created)).toBe(1);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
    const { id, name, slug, url } = await infra.instances.get(created.instance_id);
    expect({ id, name }).toEqual({ id: created.instance_id, name: 'fs-instance-1' });
    expect(url).toBe(`https://mcp.example.com/mcp/${slug}`);
    expect(platform.heard.at(-1)).toMatchObject({ status: 'running', name, url });
  });

  it('is acted on in every envelope that is in use', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    const channel = `${platform.prefix}MCPServerInstanceCreated`;
    const message = (name: string) => ({
      event_id: randomUUID(),
      timestamp: new Date().toISOString(),
      event_type: 'MCPServerInstanceCreated',
      data: platform.created({ name, json_spec: docker }),
    });
    await platform.redis.publish(channel, JSON.stringify({ data: message('nested'), headers: {} }));
    await platform.redis.publish(channel, JSON.stringify(message('bare')));
    const head = Buffer.from('\u0089BIN\r\n\u001a\n\0\u0001\0\0\0\u0012\0\0\0\u0014\0\0', 'latin1');
    await platform.redis.publish(
      channel,
      Buffer.concat([head, Buffer.from(JSON.stringify(message('binary')))]),
    );
    await platform.publish('MCPServerInstanceCreated', message('double').data);
    await until(async () => (await infra.instances.count()) === 4);
  });

  it('makes one instance when it comes again, and leaves what runs as it is', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, provider } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const eventId = randomUUID();
    await platform.publish('MCPServerInstanceCreated', created, eventId);
    await platform.publish('MCPServerInstanceCreated', created, eventId);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await platform.publish('MCPServerInstanceCreated', {
      ...created,
      json_spec: { ...docker, image: 'other' },
    });
    const next = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', next);
    await until(() => platform.statuses(next.instance_id).includes('running'));
    expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
    expect(provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/test', 'mcp/test']);
    expect(await infra.instances.count()).toBe(2);
  });

  it('for a remote server needs no image, and is fulfilled with the one that the API demands', async () => {
    const platform = await startPlatform(redis().url);
    const secrets = [recordingSecrets({ 'instance_123:TOKEN': 'token' }, [])];
    const infra = createMCPInfra({
      providers: [fakeProvider(), fakeProvider({ of: urlProvider() })],
      secrets,
    });
    await infra.start();
    const keys = { channelPrefix: platform.prefix, prefix: `${platform.prefix}bridge` };
    const bridge = agentAreaBridge(infra, { url: platform.url, ...keys });
    onTestFinished(async () => {
      await bridge.stop();
      await infra.stop();
    });
    await bridge.start();
    const url = {
      type: 'url',
      endpoint: 'https://mcp.example.com/mcp',
      health_check: { path: '/health', interval: 30, timeout: 10 },
      authentication: { type: 'bearer', token: 'secret_ref:instance_123:TOKEN' },
      timeout: 30,
    };
    const specs = [url, { ...url, image: 'unused', port: 1, health_check: '/health' }];
    const wishes = specs.map((json_spec) => platform.created({ json_spec }));
    for (const wish of wishes) await platform.publish('MCPServerInstanceCreated', wish);
    await until(() => wishes.every((wish) => platform.statuses(wish.instance_id).includes('running')));
    const { items } = await infra.instances.list({ type: 'url' });
    expect(items.map(({ status }) => status)).toEqual(['running', 'running']);
    for (const wish of wishes)
      expect(platform.statuses(wish.instance_id)).toEqual(['validating', 'starting', 'running']);
  });

  it('to delete removes the instance and tells nothing more of it', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, provider } = await startHost(platform);
    const created = platform.created({ name: 'Filesystem "Instance" ünïcode', json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
    await until(async () => (await infra.instances.count()) === 0);
    expect(provider.copies()).toEqual([]);
    expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
  });

  it('is not fulfilled when it comes after its own deletion', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, logger } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const channel = `${platform.prefix}MCPServerInstanceCreated`;
    const old = wireBytes('MCPServerInstanceCreated', created, randomUUID(), Date.now() - 1_000);
    await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
    await platform.redis.publish(channel, old);
    await until(() => logger.lines.some(({ message }) => message.includes('was deleted meanwhile')));
    expect(await infra.instances.count()).toBe(0);
  });

  it('is not fulfilled when it comes again after the host itself has deleted the instance', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, logger } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const channel = `${platform.prefix}MCPServerInstanceCreated`;
    const eventId = randomUUID();
    const wish = wireBytes('MCPServerInstanceCreated', created, eventId, Date.now() - 1_000);
    await platform.redis.publish(channel, wish);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await infra.instances.delete(created.instance_id, { wait: true });
    const fulfilled = `${platform.prefix}bridge:fulfilled:${eventId}`;
    await until(async () => (await platform.redis.exists(fulfilled)) === 1);
    await platform.redis.publish(channel, wish);
    await until(() => logger.lines.some(({ message }) => message.includes('was deleted meanwhile')));
    expect(await infra.instances.count()).toBe(0);
  });

  it('is taken back by the next worker when the one that made it died before it saw the deletion', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const [eventId, newer] = [randomUUID(), randomUUID()];
    const channel = `${platform.prefix}MCPServerInstanceCreated`;
    const wish = wireBytes('MCPServerInstanceCreated', created, eventId, Date.now() - 1_000);
    await platform.redis.publish(channel, wish);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    // What another worker notes that heard of the deletion before there was anything to delete.
    await platform.redis.set(`${platform.prefix}bridge:deleted:${created.instance_id}`, Date.now() - 500);
    await platform.redis.publish(channel, wish);
    await until(async () => (await infra.instances.count()) === 0);

    await platform.redis.set(`${platform.prefix}bridge:deleted:${created.instance_id}`, Date.now() - 500);
    await platform.publish('MCPServerInstanceCreated', created, newer);
    await until(async () => (await infra.instances.count()) === 1);
    await platform.redis.publish(channel, wish);
    const last = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', last);
    await until(() => platform.statuses(last.instance_id).includes('running'));
    expect(await infra.instances.count()).toBe(2);
  });

  it('takes a name as soon as the instance that had it is gone', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    const first = platform.created({ name: 'same', json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', first);
    await until(() => platform.statuses(first.instance_id).includes('running'));
    const second = platform.created({ name: 'same', json_spec: docker });
    await platform.publish('MCPServerInstanceDeleted', { instance_id: first.instance_id });
    // While it goes: nothing is awaited that says it is gone.
    await until(async () => (await infra.instances.list()).items[0]?.status !== 'running');
    await platform.publish('MCPServerInstanceCreated', second);
    await until(() => platform.statuses(second.instance_id).includes('running'));
    expect(platform.statuses(second.instance_id)).toEqual(['validating', 'starting', 'running']);
  });

  it('stays within the tenant of its bridge, also where the id is one of another', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform, { bridge: { group: 'host', channelPrefix: 'nobody:' } });
    const keys = { channelPrefix: platform.prefix, prefix: `${platform.prefix}tenant` };
    const bridge = agentAreaBridge(infra.scope({ tenant: 'a' }), { url: platform.url, ...keys });
    onTestFinished(() => bridge.stop());
    await bridge.start();
    const theirs = await infra.scope({ tenant: 'b' }).instances.create({
      name: 'one',
      jsonSpec: { type: 'docker', image: 'mcp/theirs' },
    });
    const taken = platform.created({ id: theirs.id, name: 'two', json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', taken);
    await until(() => platform.statuses(theirs.id).includes('failed'));
    await platform.publish('MCPServerInstanceDeleted', { instance_id: theirs.id });
    const own = platform.created({ name: 'one', json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', own);
    await until(() => platform.statuses(own.instance_id).includes('running'));
    expect((await infra.instances.get(own.instance_id)).tenant).toBe('a');
    expect((await infra.instances.get(theirs.id)).tenant).toBe('b');
  });

  it('stops, starts and updates what it names, and the empty ones that the platform sends today ask for nothing', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, provider } = await startHost(platform);
    const json_spec = { ...docker, environment: { A: '1', B: '2' } };
    const created = platform.created({ json_spec });
    const { instance_id } = created;
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(instance_id).includes('running'));
    for (const type of ['Updated', 'Started', 'Stopped'])
      await platform.publish(`MCPServerInstance${type}`, {});
    await platform.publish('MCPServerInstanceStopped', { instance_id });
    await until(() => platform.statuses(instance_id).at(-1) === 'stopped');
    const changed = { ...docker, environment: { A: 3 } };
    await platform.publish('MCPServerInstanceUpdated', { instance_id, json_spec: changed });
    await platform.publish('MCPServerInstanceStarted', { instance_id });
    await until(() => platform.statuses(instance_id).at(-1) === 'running');
    expect((await infra.instances.get(instance_id)).jsonSpec.environment).toEqual({ A: '3' });
    expect(provider.copies()[0]?.spec.environment).toMatchObject({ A: '3' });
    expect(await platform.redis.exists(`${platform.prefix}bridge:dead`)).toBe(0);
  });

  it('does not touch an instance that the host made, unless the bridge is for all of them', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, logger } = await startHost(platform);
    const { id } = await infra.instances.create({
      name: 'own',
      jsonSpec: { type: 'docker', image: 'mcp/own' },
    });
    await infra.instances.waitUntilReady(id);
    await platform.publish('MCPServerInstanceDeleted', { instance_id: id });
    await until(() => logger.lines.some(({ message }) => message.includes('has not made here')));
    expect((await infra.instances.get(id)).status).toBe('running');
    expect(platform.statuses(id)).toEqual([]);

    const all = await startPlatform(redis().url);
    const open = await startHost(all, { bridge: { instances: 'all' } });
    const other = await open.infra.instances.create({
      name: 'own',
      jsonSpec: { type: 'docker', image: 'mcp/own' },
    });
    await until(() => all.statuses(other.id).includes('running'));
    await all.publish('MCPServerInstanceDeleted', { instance_id: other.id });
    await until(async () => (await open.infra.instances.count()) === 0);
  });
});

describe('a wish that cannot be fulfilled', () => {
  it('is answered by an error and failed, naming what to change; with that, the same name works', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    const wrong = platform.created({
      name: 'one',
      json_spec: { ...docker, port: 80.5, environment: { A: [1] } },
    });
    await platform.publish('MCPServerInstanceCreated', wrong);
    await until(() => platform.statuses(wrong.instance_id).length > 0);
    expect(platform.heard).toMatchObject([
      {
        event: 'MCPServerInstanceError',
        instanceId: wrong.instance_id,
        error: expect.stringMatching(
          /^INVALID_SPEC: .*\/json_spec\/environment\/A: Expected text/su,
        ) as string,
      },
      { event: 'MCPServerInstanceStatusChanged', instanceId: wrong.instance_id, status: 'failed' },
    ]);
    const second = platform.created({ name: 'one', json_spec: { ...docker, port: 80.5 } });
    await platform.publish('MCPServerInstanceCreated', second);
    await until(() => platform.statuses(second.instance_id).length > 0);
    expect(platform.heard.at(-1)?.error).toContain('/json_spec/port');
    expect(await infra.instances.count()).toBe(0);
    const right = platform.created({ name: 'one', json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', right);
    await until(() => platform.statuses(right.instance_id).includes('running'));
  });

  it.each([
    ['a name that is taken', { name: 'taken', json_spec: docker }, 'ALREADY_EXISTS', 'Choose another name'],
    [
      'a type that nobody runs',
      { json_spec: { type: 'podman' } },
      'INVALID_SPEC',
      'Known types are "docker"',
    ],
    [
      'cmd and command',
      { json_spec: { ...docker, cmd: ['a'], command: ['b'] } },
      'INVALID_SPEC',
      'remove cmd',
    ],
    ['a port that is true', { json_spec: { ...docker, port: true } }, 'INVALID_SPEC', '/json_spec/port'],
    ['an id that is no UUID', { id: 'instance_1', json_spec: docker }, 'INVALID_SPEC', 'Expected a UUID'],
    ['no document', { json_spec: [] }, 'INVALID_SPEC', 'Expected json_spec to be an object'],
    ['one too many', { name: 'second', json_spec: docker }, 'LIMIT_EXCEEDED', 'limit of 1'],
  ])('is refused once: %s', async (_what, wish, code, message) => {
    const platform = await startPlatform(redis().url);
    const provider = fakeProvider();
    const bridge = { instances: 'own' } as const;
    const store = shared(memoryStore());
    const limits = { maxInstances: 1 };
    const first = await startHost(platform, { provider, bridge, store, limits });
    await startHost(platform, { provider: fakeProvider(), bridge, store, limits, roles: ['control'] });
    if (code === 'ALREADY_EXISTS' || code === 'LIMIT_EXCEEDED')
      await first.infra.instances.create({ name: 'taken', jsonSpec: { type: 'docker', image: 'mcp/own' } });
    const created = platform.created(wish);
    expect(await platform.publish('MCPServerInstanceCreated', created)).toBe(2);
    await until(() => platform.statuses(created.instance_id).length > 0);
    const next = platform.created({ json_spec: { type: 'podman' } });
    await platform.publish('MCPServerInstanceCreated', next);
    await until(() => platform.statuses(next.instance_id).length > 0);
    const heard = platform.heard.filter(({ instanceId }) => instanceId === created.instance_id);
    expect(heard.map(({ event }) => event)).toEqual([
      'MCPServerInstanceError',
      'MCPServerInstanceStatusChanged',
    ]);
    expect(heard[0]?.error).toMatch(new RegExp(`^${code}: `, 'u'));
    expect(heard[0]?.error).toContain(message);
    expect(heard[1]?.status).toBe('failed');
  });

  it('ends as failed with its reason when the start fails, and as running once it does not any more', async () => {
    const platform = await startPlatform(redis().url);
    const { provider } = await startHost(platform);
    provider.failNextStart('IMAGE_PULL_FAILED', 'The registry does not answer.');
    const created = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    expect(platform.statuses(created.instance_id)).toEqual([
      'validating',
      'starting',
      'failed',
      'starting',
      'running',
    ]);
    const failure = platform.heard.findIndex(({ event }) => event === 'MCPServerInstanceError');
    expect(platform.heard[failure]?.error).toContain('IMAGE_PULL_FAILED: The registry does not answer.');
    expect(platform.heard[failure + 1]).toMatchObject({ status: 'failed' });
  });

  it('names a secret that is missing, never one that is there', async () => {
    const platform = await startPlatform(redis().url);
    const { logger, infra } = await startHost(platform);
    const environment = { API_KEY: 'canary-4711-plain', OTHER: 'secret_ref:instance_123:MISSING' };
    const created = platform.created({ json_spec: { ...docker, environment } });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('failed'));
    expect(platform.heard.at(-1)?.error).toContain('instance_123:MISSING');
    const surfaces = [platform.heard, logger.lines, await infra.instances.get(created.instance_id)];
    expect(JSON.stringify(surfaces)).not.toContain('canary-4711');
  });

  it('keeps what runs when an update is refused, and says why', async () => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const { instance_id } = created;
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(instance_id).includes('running'));
    await platform.publish('MCPServerInstanceUpdated', { instance_id, json_spec: { ...docker, port: 0 } });
    await until(() => platform.heard.some(({ event }) => event === 'MCPServerInstanceError'));
    expect(platform.heard.at(-1)?.error).toContain('/json_spec/port');
    expect(platform.statuses(instance_id)).toEqual(['validating', 'starting', 'running']);
    expect((await infra.instances.get(instance_id)).status).toBe('running');
  });
});

describe('a message that cannot be used', () => {
  it.each([
    ['no JSON', 'MCPServerInstanceCreated', '{"data": "canary-4711'],
    ['no envelope', 'MCPServerInstanceCreated', '{"secret": "canary-4711"}'],
    [
      'no name',
      'MCPServerInstanceCreated',
      { instance_id: 'x', json_spec: { environment: { A: 'canary-4711' } } },
    ],
    ['no instance_id', 'MCPServerInstanceDeleted', { name: 'fs-instance-1', token: 'canary-4711' }],
  ])(
    'is kept as a dead letter, without its values, and the next one is acted on: %s',
    async (_what, type, given) => {
      const platform = await startPlatform(redis().url);
      const store = shared(memoryStore());
      const { infra, logger } = await startHost(platform, { store });
      await startHost(platform, { store, roles: ['control'] });
      const payload = typeof given === 'string' ? given : wireBytes(type, given);
      await platform.redis.publish(`${platform.prefix}${type}`, payload);
      const created = platform.created({ json_spec: docker });
      await platform.publish('MCPServerInstanceCreated', created);
      await until(() => platform.statuses(created.instance_id).includes('running'));
      const dead = (): Promise<unknown[]> => platform.redis.xrange(`${platform.prefix}bridge:dead`, '-', '+');
      await until(async () => (await dead()).length === 1);
      expect(JSON.stringify([await dead(), logger.lines])).not.toContain('canary');
      expect(logger.lines.filter(({ message }) => message.includes('cannot be used'))).toHaveLength(1);
      expect(await infra.instances.count()).toBe(1);
    },
  );
});

describe('secrets of the platform', () => {
  const given = { 'instance_123:API_KEY': 'first', 'agentarea:mcp_instance_': 'second' };

  it.each([
    ['as it is written', false, 'instance_123:API_KEY'],
    ['as the Go manager does', true, 'agentarea:mcp_instance_'],
  ])('are looked up %s', async (_what, legacySecretKeys, expected) => {
    const platform = await startPlatform(redis().url);
    const asked: string[] = [];
    const provider = fakeProvider({ tools: { environment: (_, { environment }) => environment } });
    const { infra } = await startHost(platform, {
      provider,
      bridge: { legacySecretKeys },
      secrets: [recordingSecrets(given, asked)],
    });
    const environment = { API_KEY: 'secret_ref:instance_123:API_KEY' };
    const created = platform.created({ json_spec: { ...docker, environment } });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    const id = legacySecretKeys ? `${expected}${created.instance_id}_API_KEY` : expected;
    expect(new Set(asked)).toEqual(new Set([id]));
    const answer = await infra.instances.callTool(created.instance_id, 'environment');
    expect(answer.structuredContent).toMatchObject({ API_KEY: legacySecretKeys ? 'second' : 'first' });
  });
});

describe('a stream of wishes', () => {
  const streaming = (platform: { readonly prefix: string }, claimIdleMs = 30_000) => ({
    stream: `${platform.prefix}stream`,
    claimIdleMs,
  });
  const group = 'mcpinfra-agentarea';

  it('keeps a wish while no worker runs, and it is fulfilled once when one is back', async () => {
    const platform = await startPlatform(redis().url);
    const created = platform.created({ json_spec: docker });
    const eventId = randomUUID();
    await platform.add('MCPServerInstanceCreated', created, eventId);
    await platform.add('MCPServerInstanceCreated', created, eventId);
    const { provider } = await startHost(platform, { bridge: streaming(platform) });
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await platform.publish('MCPServerInstanceCreated', created, eventId);
    const next = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', next);
    await until(() => platform.statuses(next.instance_id).includes('running'));
    expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
    expect(provider.copies()).toHaveLength(2);
    const pending = async () =>
      ((await platform.redis.xpending(streaming(platform).stream, group)) as [number])[0];
    await until(async () => (await pending()) === 0);
  });

  it('makes one container of each wish with several workers, whichever reads it', async () => {
    const platform = await startPlatform(redis().url);
    const bridge = streaming(platform);
    const parts = { store: shared(memoryStore()), events: shared(memoryEventBus()), bridge };
    const { infra, provider } = await startHost(platform, parts);
    for (const _ of [2, 3]) await startHost(platform, { ...parts, roles: ['control'] });
    const wishes = Array.from({ length: 20 }, () => platform.created({ json_spec: docker }));
    for (const wish of wishes) {
      const eventId = randomUUID();
      await platform.add('MCPServerInstanceCreated', wish, eventId);
      await platform.publish('MCPServerInstanceCreated', wish, eventId);
    }
    await until(async () => (await infra.instances.count({ status: 'running' })) === 20, 25_000);
    await until(() => wishes.every((wish) => platform.statuses(wish.instance_id).includes('running')));
    for (const wish of wishes)
      expect(platform.statuses(wish.instance_id)).toEqual(['validating', 'starting', 'running']);
    expect(provider.copies()).toHaveLength(20);
  });

  it.each([
    ['before it made the container', false],
    ['between the create and the acknowledgement', true],
  ])('is taken over from a worker that died %s, and there is one container', async (_what, wasMade) => {
    const platform = await startPlatform(redis().url);
    const { stream } = streaming(platform);
    const created = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', created);
    await platform.redis.xgroup('CREATE', stream, group, '0');
    await platform.redis.xreadgroup('GROUP', group, 'dead-worker', 'COUNT', 1, 'STREAMS', stream, '>');
    const parts = { store: shared(memoryStore()), provider: shared(fakeProvider()) };
    if (wasMade) {
      const { infra, stop } = await startHost(platform, parts);
      await platform.publish('MCPServerInstanceCreated', created);
      await until(async () => (await infra.instances.count({ status: 'running' })) === 1);
      await stop();
    }
    const { infra, provider } = await startHost(platform, {
      ...parts,
      bridge: streaming(platform, 50),
    });
    await until(() => platform.statuses(created.instance_id).includes('running'));
    const pending = async () => ((await platform.redis.xpending(stream, group)) as [number])[0];
    await until(async () => (await pending()) === 0);
    expect(platform.statuses(created.instance_id)).toEqual(['validating', 'starting', 'running']);
    expect(await infra.instances.count()).toBe(1);
    expect(provider.copies()).toHaveLength(1);
  });

  it('is not held up by an entry that cannot be read', async () => {
    const platform = await startPlatform(redis().url);
    const { stream } = streaming(platform);
    await platform.redis.xadd(stream, '*', '__data__', '{"data": ');
    await platform.redis.xadd(stream, '*', 'one', '1', 'two', '2');
    const created = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', created);
    await startHost(platform, { bridge: streaming(platform) });
    await until(() => platform.statuses(created.instance_id).includes('running'));
    const dead = `${platform.prefix}bridge:dead`;
    await until(async () => (await platform.redis.xlen(dead)) === 2);
    const pending = async () => ((await platform.redis.xpending(stream, group)) as [number])[0];
    await until(async () => (await pending()) === 0);
  });

  it('is gone on with after a deletion overtook the wish it takes back', async () => {
    const platform = await startPlatform(redis().url);
    const parts = { store: shared(memoryStore()), events: shared(memoryEventBus()) };
    const bridge = streaming(platform);
    const { infra } = await startHost(platform, { ...parts, bridge });
    await startHost(platform, { ...parts, bridge, roles: ['control'] });
    const wishes = Array.from({ length: 20 }, () => platform.created({ json_spec: docker }));
    await Promise.all(
      wishes.flatMap((wish) => [
        platform.add('MCPServerInstanceCreated', wish),
        platform.add('MCPServerInstanceDeleted', { instance_id: wish.instance_id }),
      ]),
    );
    const pending = async () => ((await platform.redis.xpending(bridge.stream, group)) as [number])[0];
    const last = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', last);
    await until(() => platform.statuses(last.instance_id).includes('running'));
    await until(async () => (await pending()) === 0 && (await infra.instances.count()) === 1);
  });
});

it('is taken back though another worker deletes it between the look and the create', async () => {
  const platform = await startPlatform(redis().url);
  const store = shared(memoryStore());
  const other = await startHost(platform, { store });
  const { infra } = await startHost(platform, {
    store,
    roles: ['control'],
    bridge: { channelPrefix: 'nobody:' },
  });
  const created = platform.created({ json_spec: docker });
  const create = async (input: Parameters<AgentAreaInfra['instances']['create']>[0]) => {
    await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
    await until(() => other.logger.lines.some(({ message }) => message.includes('has not made here')));
    return (infra as AgentAreaInfra).instances.create(input);
  };
  const instances = new Proxy(infra.instances, {
    get: (target, key) =>
      key === 'create' ? create : (Reflect.get(target, key, target) as () => unknown).bind(target),
  });
  const slow = { servers: infra.servers, events: infra.scope({ tenant: 'unused' }).events, instances };
  const keys = { channelPrefix: 'nobody:', prefix: `${platform.prefix}bridge` };
  const bridge = agentAreaBridge(slow, { url: platform.url, ...keys, stream: `${platform.prefix}stream` });
  onTestFinished(() => bridge.stop());
  await bridge.start();
  await platform.add('MCPServerInstanceCreated', created);
  const types: string[] = [];
  other.infra.events.on('*', ({ type }) => void types.push(type));
  await until(() => types.includes('MCPServerInstanceRemoved'));
  expect(types).toContain('MCPServerInstanceCreated');
  expect(await infra.instances.count()).toBe(0);
});

describe('a host that is started again', () => {
  it('knows its instances by the ids of the platform, and removes what it is told to', async () => {
    const platform = await startPlatform(redis().url);
    const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, 'store.json');
    const provider = shared(fakeProvider());
    const first = await startHost(platform, { provider, store: memoryStore({ file }) });
    const created = platform.created({ name: 'Filesystem Instance "ü"', json_spec: docker });
    const stopped = platform.created({ json_spec: docker });
    for (const wish of [created, stopped]) await platform.publish('MCPServerInstanceCreated', wish);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await until(() => platform.statuses(stopped.instance_id).includes('running'));
    await platform.publish('MCPServerInstanceStopped', { instance_id: stopped.instance_id });
    await until(() => platform.statuses(stopped.instance_id).includes('stopped'));
    const before = await first.infra.instances.get(created.instance_id);
    await first.stop();

    const { infra } = await startHost(platform, { provider, store: memoryStore({ file }) });
    const after = await infra.instances.get(created.instance_id);
    expect({ slug: after.slug, name: after.name, jsonSpec: after.jsonSpec }).toEqual({
      slug: before.slug,
      name: before.name,
      jsonSpec: before.jsonSpec,
    });
    await infra.instances.waitUntilReady(created.instance_id);
    expect((await infra.instances.get(stopped.instance_id)).status).toBe('stopped');
    await platform.publish('MCPServerInstanceDeleted', { instance_id: created.instance_id });
    await until(() => provider.copies().every(({ copy }) => copy.instanceId !== created.instance_id));
  });
});

describe('a Redis that is away', () => {
  const broker = serviceOrSkip(startPrivateRedis);

  it('at the start leaves the bridge degraded, until it is there', async () => {
    const platform = await startPlatform(broker().url);
    await broker().kill();
    const { bridge, infra } = await startHost(platform, { bridge: { stream: `${platform.prefix}stream` } });
    expect(bridge.health()).toMatchObject({
      status: 'degraded',
      degraded: [{ part: 'redis' }, { part: 'channels' }, { part: 'stream' }],
    });
    await broker().restart();
    await until(() => bridge.health().status === 'ok');
    const created = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', created);
    await infra.instances.waitFor(created.instance_id, 'running').catch(() => undefined);
    await until(() => platform.statuses(created.instance_id).includes('running'));
  });

  it('meanwhile loses no status and no wish on the stream', async () => {
    const platform = await startPlatform(broker().url);
    const { bridge, provider, infra } = await startHost(platform, {
      bridge: { stream: `${platform.prefix}stream` },
    });
    const created = platform.created({ json_spec: docker });
    await platform.add('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
    await broker().kill();
    await until(() => bridge.health().status === 'degraded');
    provider.crash(created.instance_id);
    await until(async () => (await infra.instances.get(created.instance_id)).statusDetail.restartCount === 1);
    await infra.instances.waitFor(created.instance_id, 'running');
    await broker().restart();
    await until(() => platform.statuses(created.instance_id).length === 6, 25_000);
    expect(platform.statuses(created.instance_id)).toEqual([
      ...['validating', 'starting', 'running'],
      ...['failed', 'starting', 'running'],
    ]);
    const next = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', next);
    await until(() => platform.statuses(next.instance_id).includes('running'));
  });

  it('or refuses to be read is in the health of the infra, for as long as it is so', async () => {
    const platform = await startPlatform(broker().url);
    const stream = `${platform.prefix}stream`;
    await platform.redis.set(stream, 'no stream');
    const { bridge, infra } = await startHost(platform, { bridge: { stream } });
    const sick = async () => (await infra.health()).degraded.map(({ part }) => part);
    await until(async () => (await sick()).includes('host:agentarea/stream'));
    expect(bridge.health().degraded).toMatchObject([
      { part: 'stream', message: expect.stringContaining('WRONGTYPE') as string },
    ]);
    await platform.redis.del(stream);
    await until(async () => (await sick()).length === 0);
    expect(bridge.health().status).toBe('ok');
  });

  it('without a word is noticed by a bridge that only listens', async () => {
    const proxy = await freezableProxy(broker().url);
    onTestFinished(() => proxy.close());
    const platform = await startPlatform(broker().url);
    const { bridge, infra } = await startHost({ ...platform, url: proxy.url });
    proxy.freeze();
    await until(() => bridge.health().status === 'degraded');
    await until(async () => (await infra.health()).status === 'degraded');
    proxy.thaw();
    await until(() => bridge.health().status === 'ok', 25_000);
    const created = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
  });

  it('does not keep the bridge from being stopped', async () => {
    const platform = await startPlatform(broker().url);
    const { bridge, stop } = await startHost(platform);
    await broker().kill();
    await stop();
    expect(bridge.health()).toEqual({ status: 'stopped', degraded: [] });
    await expect(bridge.start()).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
    await broker().restart();
  });

  it('is reached with a password and another database', async () => {
    const platform = await startPlatform(broker().url);
    await platform.redis.config('SET', 'requirepass', 'pass');
    onTestFinished(async () => {
      await platform.redis.config('SET', 'requirepass', '');
    });
    const { port } = new URL(broker().url);
    const { bridge } = await startHost({ ...platform, url: `redis://:pass@127.0.0.1:${port}/2` });
    expect(bridge.health()).toEqual({ status: 'ok', degraded: [] });
    const created = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(created.instance_id).includes('running'));
  });
});

describe('the options of the bridge', () => {
  it.each([
    [{ url: 'redis://localhost', strem: 'x' }, 'did you mean "stream"'],
    [{ url: 'redis://localhost', instances: 'mine' }, '"own" or "all"'],
    [{ url: 'redis://localhost', claimIdleMs: 0 }, 'claimIdleMs'],
    [{ url: 'redis://localhost', stream: '' }, 'stream'],
    [{}, 'url'],
  ])('are refused as %j', async (options, message) => {
    const platform = await startPlatform(redis().url);
    const { infra } = await startHost(platform);
    expect(() => agentAreaBridge(infra, options as { url: string })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});

it('starts after its infra only, once for each process and group, and stops also when it never started', async () => {
  const platform = await startPlatform(redis().url);
  const keys = { url: platform.url, channelPrefix: platform.prefix, prefix: `${platform.prefix}bridge` };
  const infra = createMCPInfra({ providers: [fakeProvider()] });
  const early = agentAreaBridge(infra, keys);
  await expect(early.start()).rejects.toMatchObject({ code: 'NOT_STARTED' });
  expect(early.health()).toEqual({ status: 'stopped', degraded: [] });
  await infra.start();
  onTestFinished(async () => {
    await infra.stop();
  });
  await early.start();
  expect(early.health()).toEqual({ status: 'ok', degraded: [] });
  await using second = agentAreaBridge(infra, keys);
  await expect(second.start()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await Promise.all([early.stop(), early.stop()]);
  await second.start();
});

it('writes for another manager what a bridge acts on', async () => {
  const platform = await startPlatform(redis().url);
  await startHost(platform);
  const data = { ...platform.created({ json_spec: docker }) };
  const type = 'MCPServerInstanceCreated';
  const message = { eventId: randomUUID(), type, at: new Date().toISOString(), data };
  await platform.redis.publish(`${platform.prefix}${type}`, agentAreaCodec.encode(message));
  await until(() => platform.statuses(data.instance_id).includes('running'));
});
