import { describe, expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const id = '11111111-2222-4333-8444-555555555555';

describe('an id or key of another tenant', () => {
  it('gives nobody the instance of another, also by the same id and key at the same time', async () => {
    await using t = await createTestInfra();
    const a = t.infra.scope({ tenant: 'a' });
    const b = t.infra.scope({ tenant: 'b' });
    const jsonSpec = { ...docker, environment: { MODE: 'of a' } } as const;
    const options = { idempotencyKey: 'deploy-1' };
    const [first, second] = await Promise.allSettled([
      a.instances.create({ id, name: 'one', jsonSpec }, options),
      b.instances.create({ id, name: 'one', jsonSpec: docker }, options),
    ]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ reason: { code: 'ALREADY_EXISTS', details: { field: 'id' } } });
    for (const scope of [b, t.infra]) {
      for (const again of [options, {}]) {
        const refusal: unknown = await scope.instances
          .create({ id, name: 'one', jsonSpec: docker }, again)
          .catch((error: unknown) => error);
        expect(refusal).toMatchObject({ code: 'ALREADY_EXISTS', details: { field: 'id' } });
        expect((refusal as Error).message).toBe(`An instance with the id ${id} exists already.`);
      }
    }
    const again = await a.instances.create({ id, name: 'one', jsonSpec }, options);
    expect(again).toMatchObject({ id, tenant: 'a' });
  });

  it('makes one instance, and one server, in each tenant for the same key', async () => {
    await using t = await createTestInfra();
    const options = { idempotencyKey: 'deploy-1' };
    const scopes = [t.infra, ...['a', 'b'].map((tenant) => t.infra.scope({ tenant }))];
    const made = [];
    for (const scope of [...scopes, ...scopes]) {
      const server = await scope.servers.register({ name: 'fs' }, options);
      const instance = await scope.instances.create({ name: 'one', jsonSpec: docker }, options);
      expect(server.tenant).toBe(instance.tenant);
      made.push(instance);
    }
    expect(made.slice(0, 3).map(({ tenant }) => tenant)).toEqual(['', 'a', 'b']);
    expect(new Set(made.map((one) => one.id)).size).toBe(3);
  });
});

describe('a public server', () => {
  const ofServer = { type: 'docker' } as { type: 'docker'; image: string };

  it('shows its owner nothing of the instances that others made of it', async () => {
    await using t = await createTestInfra();
    const owner = t.infra.scope({ tenant: 'owner' });
    const guest = t.infra.scope({ tenant: 'guest' });
    const server = await owner.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1', isPublic: true });
    const theirs = await guest.instances.create({
      name: 'guest-secret-name',
      serverSpecId: server.id,
      jsonSpec: ofServer,
    });
    const own = await owner.instances.create({ name: 'own', serverSpecId: server.id, jsonSpec: ofServer });
    await t.settle();
    const plan = await owner.servers.plan(server.id, { dockerImageUrl: 'mcp/fs:2' });
    expect(plan.instances.map(({ name }) => name)).toEqual(['own']);
    for (const cascade of [false, true]) {
      const refusal: unknown = await owner.servers
        .delete(server.id, { cascade })
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'SERVER_IN_USE' });
      const told = JSON.stringify([(refusal as Error).message, (refusal as { details: unknown }).details]);
      expect(told).not.toContain('guest');
      expect(told).not.toContain(theirs.id);
    }
    expect((await owner.instances.get(own.id)).status).toBe('running');
    await t.infra.servers.delete(server.id, { cascade: true });
    await t.settle();
    expect(await t.infra.instances.count()).toBe(0);
  });

  it('runs its new version in its own tenant only, and tells the others that there is one', async () => {
    await using t = await createTestInfra();
    const owner = t.infra.scope({ tenant: 'owner' });
    const guest = t.infra.scope({ tenant: 'guest' });
    const server = await owner.servers.register({ name: 'fs', dockerImageUrl: 'mcp/fs:1', isPublic: true });
    const theirs = await guest.instances.create({
      name: 'theirs',
      serverSpecId: server.id,
      jsonSpec: ofServer,
    });
    await owner.instances.create({ name: 'own', serverSpecId: server.id, jsonSpec: ofServer });
    await t.settle();
    const heard: unknown[] = [];
    guest.events.on('MCPServerUpdated', ({ subject, tenant, data }) => {
      heard.push([subject, tenant, data.name]);
    });
    await owner.servers.update(server.id, { dockerImageUrl: 'mcp/fs:2' }, { rollout: 'rolling' });
    await t.advance(61_000);
    const images = t.provider.copies().map(({ instanceName, spec }) => [instanceName, spec.image]);
    expect(Object.fromEntries(images)).toEqual({ own: 'mcp/fs:2', theirs: 'mcp/fs:1' });
    expect(heard).toEqual([[server.id, 'guest', 'fs']]);
    // Whoever compares sees it, too.
    const { serverResourceVersion } = await guest.instances.get(theirs.id);
    expect((await guest.servers.get(server.id)).resourceVersion).toBeGreaterThan(serverResourceVersion ?? 0);
    await guest.instances.ensure({ name: 'theirs', serverSpecId: server.id, jsonSpec: ofServer });
    await t.settle();
    expect(t.provider.copies().map(({ spec }) => spec.image)).toEqual(['mcp/fs:2', 'mcp/fs:2']);
  });
});
