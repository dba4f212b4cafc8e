import { randomUUID } from 'node:crypto';
import { memoryStore } from '@mcpinfra/core';
import { mcpError } from '@mcpinfra/core/plugin';
import { fakeProvider } from '@mcpinfra/core/testing';
import { startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, expect, it } from 'vitest';
import { shared, startHost, startPlatform, until, wireBytes } from './agentarea-support.js';

const redis = serviceOrSkip(startRedis);
const docker = { type: 'docker', image: 'mcp/test' };

describe('the platform is told', () => {
  it('that an update failed, and that what ran goes on running', async () => {
    const platform = await startPlatform(redis().url);
    const { infra, provider } = await startHost(platform);
    const created = platform.created({ json_spec: docker });
    const { instance_id } = created;
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.statuses(instance_id).includes('running'));
    provider.failNextStart('IMAGE_NOT_FOUND', 'There is no image mcp/other.');
    const json_spec = { ...docker, image: 'mcp/other' };
    await platform.publish('MCPServerInstanceUpdated', { instance_id, json_spec });
    await until(() => platform.heard.some(({ event }) => event === 'MCPServerInstanceError'));
    const error = platform.heard.find(({ event }) => event === 'MCPServerInstanceError')?.error;
    expect(error).toMatch(/UPDATE_ROLLED_BACK.*IMAGE_NOT_FOUND.*There is no image mcp\/other/su);
    await until(() => platform.statuses(instance_id).filter((status) => status === 'running').length === 2);
    expect(platform.statuses(instance_id)).not.toContain('failed');
    expect((await infra.instances.get(instance_id)).status).toBe('running');
  });

  it('that the engine is away while its instance waits for it, and of the start once it is back', async () => {
    const platform = await startPlatform(redis().url);
    const fake = fakeProvider();
    let away = true;
    const placement: typeof fake.placement = async (options) => {
      if (away) throw mcpError('PLACEMENT_UNREACHABLE', 'The engine does not answer.');
      return fake.placement(options);
    };
    const provider = new Proxy(fake, {
      get: (target, key) => {
        if (key === 'placement') return placement;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    await startHost(platform, { provider });
    const created = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', created);
    await until(() => platform.heard.some(({ event }) => event === 'MCPServerInstanceError'), 60_000);
    expect(platform.heard.at(-1)?.error).toContain('PLACEMENT_UNREACHABLE');
    expect(platform.statuses(created.instance_id)).toEqual(['validating']);
    away = false;
    await until(() => platform.statuses(created.instance_id).includes('running'), 60_000);
  }, 120_000);
});

describe('a bridge that was away', () => {
  it('for longer than events are kept says so, tells what is, and goes on', async () => {
    const platform = await startPlatform(redis().url);
    const store = shared(memoryStore());
    const provider = fakeProvider();
    const first = await startHost(platform, { store, provider });
    const [stays, changes] = [
      platform.created({ json_spec: docker }),
      platform.created({ json_spec: docker }),
    ];
    for (const one of [stays, changes]) await platform.publish('MCPServerInstanceCreated', one);
    for (const { instance_id } of [stays, changes])
      await until(() => platform.statuses(instance_id).includes('running'));
    await first.bridge.stop();
    await first.infra.instances.stop(changes.instance_id, { wait: true });
    await until(async () => (await store.events.number(100)).length === 0);
    await store.events.trim(new Date(Date.now() + 60_000).toISOString());
    const before = platform.heard.length;

    const second = await startHost(platform, { store, provider });
    await until(() => platform.statuses(changes.instance_id).at(-1) === 'stopped');
    expect(second.logger.lines.some(({ message }) => message.includes('longer than events are kept'))).toBe(
      true,
    );
    expect(platform.heard.slice(before).map(({ instanceId }) => instanceId)).toEqual([changes.instance_id]);
    const next = platform.created({ json_spec: docker });
    await platform.publish('MCPServerInstanceCreated', next);
    await until(() => platform.statuses(next.instance_id).includes('running'));
    expect(second.bridge.health().status).toBe('ok');
  });

  it('reads the stream at once after each of many troubles', async () => {
    const platform = await startPlatform(redis().url);
    const stream = `${platform.prefix}stream`;
    const { infra } = await startHost(platform, { bridge: { stream } });
    for (let made = 1; made <= 7; made += 1) {
      const created = platform.created({ json_spec: docker });
      await platform.add('MCPServerInstanceCreated', created);
      await until(async () => (await infra.instances.count()) === made, 4_000);
      await platform.redis.xgroup('DESTROY', stream, 'mcpinfra-agentarea');
    }
  }, 60_000);
});

it('is made again under the id of one that was deleted, by a platform whose clock is behind', async () => {
  const platform = await startPlatform(redis().url);
  const { infra } = await startHost(platform);
  const created = platform.created({ json_spec: docker });
  const { instance_id } = created;
  const say = (type: string, data: object) =>
    platform.redis.publish(
      `${platform.prefix}${type}`,
      wireBytes(type, data, randomUUID(), Date.now() - 3_000),
    );
  await say('MCPServerInstanceCreated', created);
  await until(() => platform.statuses(instance_id).includes('running'));
  await say('MCPServerInstanceDeleted', { instance_id });
  await until(async () => (await infra.instances.count()) === 0);
  await say('MCPServerInstanceCreated', created);
  await until(async () => (await infra.instances.count()) === 1, 5_000);
  // So is one that the host deleted, by a new wish.
  await infra.instances.delete(instance_id, { wait: true });
  await say('MCPServerInstanceCreated', created);
  await until(async () => (await infra.instances.count()) === 1, 5_000);
});
