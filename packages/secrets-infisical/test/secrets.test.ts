import { inspect } from 'node:util';
import { Secret, type SecretContext } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { generations, reference, reveal, seed, startServer, storeOn } from './support/infisical.js';

const lists = (requests: readonly { readonly method: string }[]): number =>
  requests.filter(({ method }) => method === 'GET').length;

describe('the mapping', () => {
  it('reads KEY of /instances/<scope>, without references and imports, by one request', async () => {
    const server = await startServer();
    seed(server, '/instances/fs-1', { API_KEY: 'one', OTHER: 'two', UNASKED: 'three' });
    const found = await reveal(storeOn(server), ['fs-1:API_KEY', 'fs-1:OTHER', 'fs-1:ABSENT']);
    expect(found).toEqual({ 'fs-1:API_KEY': 'one', 'fs-1:OTHER': 'two' });
    const [, read] = server.requests;
    expect(read).toMatchObject({
      path: '/api/v3/secrets/raw',
      query: {
        secretPath: '/instances/fs-1',
        workspaceId: 'project-1',
        environment: 'dev',
        expandSecretReferences: 'false',
        include_imports: 'false',
        recursive: 'false',
      },
    });
    expect(server.requests).toHaveLength(2);
  });

  it('goes to several projects and environments, and leaves out what is none of its business', async () => {
    const server = await startServer();
    server.folders('prod', 'payments').create('/team/fs');
    server.folders('prod', 'payments').set('/team/fs', 'mcp_KEY', 'of payments');
    seed(server, '/team/web', { mcp_KEY: 'of the default' });
    const store = storeOn(server, {
      locate: (scope) => {
        if (scope === 'local') return undefined;
        const path = `/team/${scope}`;
        return scope === 'fs' ? { path, projectId: 'payments', environment: 'prod' } : { path };
      },
      secretName: ({ key }) => `mcp_${key}`,
    });
    expect(await reveal(store, ['fs:KEY', 'web:KEY', 'local:KEY'])).toEqual({
      'fs:KEY': 'of payments',
      'web:KEY': 'of the default',
    });
    await store.put(reference('fs:KEY'), new Secret('changed'));
    expect(server.folders('prod', 'payments').at('/team/fs')?.get('mcp_KEY')).toBe('changed');
  });

  it('keeps what tenants have under one scope apart, by who asks and who writes', async () => {
    const server = await startServer();
    const asked: SecretContext[] = [];
    const store = storeOn(server, {
      locate: (scope, context) => {
        asked.push(context);
        return { path: `/tenants/${context.tenant}x/${scope}` };
      },
    });
    const of = (tenant: string): SecretContext => ({ instanceId: 'i', tenant, principal: 'me' });
    const key = reference('shared:KEY');
    for (const tenant of ['a', 'b'])
      await store.put(key, new Secret(`of ${tenant}`), { context: of(tenant) });
    const values = async () =>
      Promise.all(
        ['a', 'b', ''].map(async (tenant) => {
          const found = await store.resolve([key], of(tenant));
          const listed = await store.list?.('shared', { context: of(tenant) });
          return [found.get('shared:KEY')?.reveal(), listed?.length];
        }),
      );
    expect(await values()).toEqual([
      ['of a', 1],
      ['of b', 1],
      [undefined, 0],
    ]);
    expect(asked).toContainEqual(of('b'));
    await store.delete(key, { context: of('a') });
    expect((await values())[1]).toEqual(['of b', 1]);
    await store.deleteScope('shared', { context: of('b') });
    expect((await values())[1]).toEqual([undefined, 0]);
    await store.put(key, new Secret('of nobody'));
    expect(asked.at(-1)).toEqual({ instanceId: '', tenant: '', principal: null });
  });

  it('lists nothing where names do not tell keys', async () => {
    const server = await startServer();
    expect(storeOn(server, { secretName: ({ key }) => `x_${key}` }).list).toBeUndefined();
  });

  it('writes only into folders that name the scope, and deletes no secret of others', async () => {
    const server = await startServer();
    seed(server, '/shared', { KEY: 'of all' });
    const store = storeOn(server, { locate: () => ({ path: '/shared' }) });
    expect(await reveal(store, ['fs:KEY'])).toEqual({ 'fs:KEY': 'of all' });
    const wanted = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('/shared does not name the scope') as string,
    };
    await expect(store.put(reference('fs:KEY'), new Secret('mine'))).rejects.toMatchObject(wanted);
    await expect(store.delete(reference('fs:KEY'))).rejects.toMatchObject(wanted);
    await store.deleteScope('fs');
    expect(server.folders().at('/shared')?.get('KEY')).toBe('of all');
  });

  it.each(['..', '/a/../b', 'a', '/a//b', '/a b'])('refuses the path %j', async (path) => {
    const server = await startServer();
    const store = storeOn(server, { locate: () => ({ path }) });
    await expect(reveal(store, ['fs:KEY'])).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(server.requests).toEqual([]);
  });

  it.each(['', '.', 'a/b', ' a', 'a:b'])(
    'refuses the name %j, which would be another route',
    async (name) => {
      const server = await startServer();
      const store = storeOn(server, { secretName: () => name });
      await expect(store.delete(reference('fs:KEY'))).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      expect(server.requests).toEqual([]);
    },
  );

  it('expands references of people only when asked to, and never those in values it wrote', async () => {
    const server = await startServer();
    seed(server, '/instances/other', { KEY: 'of another' });
    seed(server, '/instances/fs', { LINK: '${dev.instances.other.KEY}' });
    server.folders().create('/instances/fs');
    const [plain, expanding] = [storeOn(server), storeOn(server, { expandReferences: true })];
    expect(await reveal(plain, ['fs:LINK'])).toEqual({ 'fs:LINK': '${dev.instances.other.KEY}' });
    expect(await reveal(expanding, ['fs:LINK'])).toEqual({ 'fs:LINK': 'of another' });
    await plain.put(reference('fs:TEXT'), new Secret('${dev.instances.other.KEY}'));
    expect(await reveal(expanding, ['fs:TEXT'])).toEqual({ 'fs:TEXT': '${dev.instances.other.KEY}' });
  });
});

describe('many secrets', () => {
  it('of 1,000 instances with 5 each are one request for each instance, so many at once', async () => {
    const server = await startServer();
    const keys = ['A', 'B', 'C', 'D', 'E'];
    const scopes = Array.from({ length: 1_000 }, (_, index) => `instance_${index}`);
    for (const scope of scopes) {
      seed(server, `/instances/${scope}`, Object.fromEntries(keys.map((key) => [key, `${scope}-${key}`])));
    }
    // Long enough for requests to meet.
    server.controls.delayMs = 10;
    const store = storeOn(server, { maxConnections: 8 });
    const found = await Promise.all(
      scopes.map((scope) =>
        reveal(
          store,
          keys.map((key) => `${scope}:${key}`),
        ),
      ),
    );
    expect(Object.assign({}, ...found)).toEqual(
      Object.fromEntries(
        scopes.flatMap((scope) => keys.map((key) => [`${scope}:${key}`, `${scope}-${key}`])),
      ),
    );
    expect(lists(server.requests)).toBe(1_000);
    expect(server.logins).toBe(1);
    expect(server.mostAtOnce).toBe(8);
  });

  it('in one batch are the same', async () => {
    const server = await startServer();
    server.controls.delayMs = 10;
    const ids = Array.from(
      { length: 5_000 },
      (_, index) => `instance_${index % 1_000}:K${Math.floor(index / 1_000)}`,
    );
    expect(await reveal(storeOn(server), ids)).toEqual({});
    expect(lists(server.requests)).toBe(1_000);
    expect(server.mostAtOnce).toBe(8);
  });

  it('asked for at the same time share a request', async () => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: 'one' });
    const store = storeOn(server);
    const all = await Promise.all(Array.from({ length: 100 }, () => reveal(store, ['fs:KEY'])));
    for (const found of all) expect(found).toEqual({ 'fs:KEY': 'one' });
    expect(lists(server.requests)).toBe(1);
  });
});

describe('a rotation', () => {
  it('by somebody else is seen by the next resolve, unless a cache was asked for', async () => {
    const server = await startServer();
    seed(server, '/instances/fs', { KEY: 'one' });
    const [fresh, caching] = [storeOn(server), storeOn(server, { cacheTtlMs: 60_000 })];
    for (const store of [fresh, caching])
      expect(await reveal(store, ['fs:KEY'])).toEqual({ 'fs:KEY': 'one' });
    server.folders().set('/instances/fs', 'KEY', 'two');
    expect(await reveal(fresh, ['fs:KEY'])).toEqual({ 'fs:KEY': 'two' });
    expect(await reveal(caching, ['fs:KEY'])).toEqual({ 'fs:KEY': 'one' });
  });

  it('by this store is seen at once, with a cache too', async () => {
    const server = await startServer();
    const store = storeOn(server, { cacheTtlMs: 60_000 });
    expect(await reveal(store, ['fs:KEY'])).toEqual({});
    await store.put(reference('fs:KEY'), new Secret('one'));
    expect(await reveal(store, ['fs:KEY'])).toEqual({ 'fs:KEY': 'one' });
    await store.delete(reference('fs:KEY'));
    expect(await reveal(store, ['fs:KEY'])).toEqual({});
    await store.put(reference('fs:KEY'), new Secret('two'));
    expect(await reveal(store, ['fs:KEY'])).toEqual({ 'fs:KEY': 'two' });
    await store.deleteScope('fs');
    expect(await reveal(store, ['fs:KEY'])).toEqual({});
  });
});

describe.each(generations)('writing to a server of %s', (generation) => {
  it('makes the folders that are missing, one level at a time', async () => {
    const server = await startServer({ generation });
    const store = storeOn(server, { basePath: '/team/mcp' });
    await store.put(reference('fs:KEY'), new Secret('one'));
    expect(server.folders().paths()).toEqual(['/', '/team', '/team/mcp', '/team/mcp/fs']);
    const before = server.requests.length;
    await store.put(reference('fs:KEY'), new Secret('two'));
    expect(server.requests.slice(before).map(({ method }) => method)).toEqual(['PATCH']);
  });

  it('keeps values that people can read as they are, and armours those that would be changed', async () => {
    const server = await startServer({ generation });
    const store = storeOn(server);
    await store.put(reference('fs:PLAIN'), new Secret('sk-123'));
    await store.put(reference('fs:PEM'), new Secret(' padded\n'));
    expect(server.folders().at('/instances/fs')?.get('PLAIN')).toBe('sk-123');
    expect(server.folders().at('/instances/fs')?.get('PEM')).toBe('mcpinfra-base64:IHBhZGRlZAo=');
    expect(await reveal(store, ['fs:PEM'])).toEqual({ 'fs:PEM': ' padded\n' });
  });

  it('without the right says which is missing', async () => {
    const server = await startServer({ generation });
    server.controls.isReadOnly = true;
    const error: unknown = await storeOn(server)
      .put(reference('fs:KEY'), new Secret('value-canary'))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SECRET_BACKEND_FAILED', details: { reason: 'forbidden' } });
    expect(inspect(error)).toContain('a role that may edit secrets');
    expect(inspect(error, { depth: null })).not.toContain('value-canary');
    expect(server.logins).toBe(1);
  });

  it('does not take an approval that is due for a value that is kept', async () => {
    const server = await startServer({ generation });
    seed(server, '/instances/fs', { KEY: 'one' });
    server.controls.needsApproval = true;
    const store = storeOn(server);
    const wanted = { code: 'SECRET_BACKEND_FAILED', details: { reason: 'approval-required' } };
    await expect(store.put(reference('fs:KEY'), new Secret('two'))).rejects.toMatchObject(wanted);
    await expect(store.deleteScope('fs')).rejects.toMatchObject(wanted);
  });

  it('to an unknown project is no success of deleting what is absent', async () => {
    const server = await startServer({ generation });
    server.controls.refusal = 'unknown-project';
    const store = storeOn(server);
    const wanted = { details: { reason: 'not-found' } };
    await expect(store.delete(reference('fs:KEY'))).rejects.toMatchObject(wanted);
    await expect(store.deleteScope('fs')).rejects.toMatchObject(wanted);
    await expect(store.put(reference('fs:KEY'), new Secret('x'))).rejects.toMatchObject(wanted);
  });
});

it('shows no value and no credential when it is printed, with a cache full of them', async () => {
  const server = await startServer();
  seed(server, '/instances/fs', { KEY: 'value-canary' });
  const store = storeOn(server, { cacheTtlMs: 60_000 });
  await reveal(store, ['fs:KEY']);
  const text = inspect(store, { depth: 12, showHidden: true, getters: true }) + JSON.stringify(store);
  expect(text).not.toMatch(/value-canary|client-secret|eyJ/u);
});
