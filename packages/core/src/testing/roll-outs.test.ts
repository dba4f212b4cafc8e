import { expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { mcpError, type Store } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const ofServer = { type: 'docker' } as { type: 'docker'; image: string };

/** A store whose writes of one instance fail while it is told so. */
function brokenFor(store: Store, isBroken: (name: string) => boolean): Store {
  return new Proxy(store, {
    get(target, key) {
      if (key === 'updateInstance')
        return (...args: Parameters<Store['updateInstance']>) =>
          isBroken(args[0].name)
            ? Promise.reject(mcpError('STORE_FAILED', 'The disk is full.'))
            : target.updateInstance(...args);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

it('goes on with a roll-out that failed half-way', async () => {
  const clock = manualClock();
  let broken = false;
  const store = brokenFor(memoryStore({ clock }), (name) => broken && name === 'b');
  await using t = await createTestInfra({ clock, store });
  const server = await t.infra.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1' });
  for (const name of ['a', 'b', 'c']) {
    await t.infra.instances.create({ name, serverSpecId: server.id, jsonSpec: ofServer });
    await t.advance(1);
  }
  broken = true;
  const update = t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' }, { rollout: 'rolling' });
  await expect(update).rejects.toMatchObject({ code: 'STORE_FAILED' });
  await t.settle();
  expect(images(t)).toEqual(['mcp/fs:1', 'mcp/fs:1', 'mcp/fs:2']);
  broken = false;
  await t.advance(31_000);
  expect(images(t)).toEqual(['mcp/fs:2', 'mcp/fs:2', 'mcp/fs:2']);
  const { items } = await t.infra.instances.list();
  expect(new Set(items.map(({ serverResourceVersion }) => serverResourceVersion))).toEqual(new Set([2]));
});

it('moves nothing to a definition that was changed without a roll-out', async () => {
  await using t = await createTestInfra();
  const server = await t.infra.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1' });
  await t.infra.instances.create({ name: 'a', serverSpecId: server.id, jsonSpec: ofServer });
  await t.settle();
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' }, { rollout: 'rolling' });
  await t.settle();
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:3' });
  await t.advance(61_000);
  expect(images(t)).toEqual(['mcp/fs:2']);
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:3' }, { rollout: 'rolling' });
  await t.settle();
  expect(images(t)).toEqual(['mcp/fs:3']);
});

it('tries again by a roll-out what had failed for good', async () => {
  await using t = await createTestInfra();
  const server = await t.infra.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1' });
  t.failNextStart('IMAGE_NOT_FOUND');
  const { id } = await t.infra.instances.create({ name: 'a', serverSpecId: server.id, jsonSpec: ofServer });
  await t.settle();
  expect(await t.infra.instances.get(id)).toMatchObject({
    status: 'failed',
    statusDetail: { nextRetryAt: null },
  });
  await t.infra.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' }, { rollout: 'rolling' });
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(images(t)).toEqual(['mcp/fs:2']);
});

function images(t: {
  readonly provider: { copies(): readonly { readonly spec: { readonly image: string } }[] };
}): readonly string[] {
  return t.provider
    .copies()
    .map(({ spec }) => spec.image)
    .sort();
}
