import { createMCPInfra } from '@mcpinfra/core';
import type { CopyRef } from '@mcpinfra/core/plugin';
import type { UrlSpec } from './url-spec.js';
import { request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LookupAll } from './guarded-connector.js';
import { resolveOptions } from './url-provider-options.js';
import { UrlReach, type Surroundings } from './url-reach.js';

const copy: CopyRef = { instanceId: 'one', revision: 1, slug: 'one-0a1b2c3d' };
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const secrets = async () => ({ render: () => expect.fail('asked for secrets'), values: [] });

const inside: LookupAll = (_name, _options, callback) => callback(null, [{ address: '10.0.0.1', family: 4 }]);

async function open(surroundings: Surroundings = {}): Promise<UrlReach> {
  const provider = new UrlReach(resolveOptions({}), surroundings);
  await provider.open({ fleet: 'fleet', storeId: 'store', logger: silent });
  onTestFinished(() => provider.close());
  return provider;
}

const runRequest = (spec: UrlSpec) => ({
  copy,
  spec,
  instanceName: 'one',
  labels: {},
  environment: async () => ({}),
  secrets,
  onProgress: () => {},
});

describe('a copy of a remote server', () => {
  it('is what was asked for, until it is stopped or destroyed', async () => {
    const provider = await open();
    const endpoint = 'https://mcp.example/mcp';
    expect(await provider.observe(copy)).toEqual({ state: 'absent' });
    const made = await provider.ensureRunning(runRequest({ type: 'url', endpoint }));
    expect(made).toMatchObject({
      state: 'running',
      endpoint: { transport: 'streamable-http', url: endpoint },
    });
    expect(await provider.ensureRunning(runRequest({ type: 'url', endpoint }))).toEqual(made);
    expect(await provider.observe(copy)).toEqual(made);
    expect(await provider.list()).toMatchObject([{ copy, storeId: 'store', state: 'running' }]);
    await provider.ensureStopped(copy);
    expect(await provider.observe(copy)).toEqual({ state: 'absent' });
    await provider.destroy(copy);
    expect(await provider.list()).toEqual([]);
  });

  it('is reached through the guard, token endpoint and all', async () => {
    const provider = await open({ lookupAll: inside });
    const spec: UrlSpec = {
      type: 'url',
      transport: 'sse',
      endpoint: 'https://mcp.example/sse',
      authentication: {
        type: 'oauth2_client_credentials',
        token_url: 'https://tokens.example/token',
        client_id: 'me',
        client_secret: 'mine',
      },
    };
    const render = (text: string) => ({ reveal: () => text });
    const dialed = await provider.dial({
      copy,
      spec,
      secrets: async () => ({ render, values: [] }) as never,
    });
    if (dialed.kind !== 'http') return expect.fail('dialled over stdio');
    expect(dialed).toMatchObject({ transport: 'sse', url: { href: 'https://mcp.example/sse' } });
    await expect(dialed.headers()).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      details: { host: 'tokens.example', address: '10.0.0.1' },
    });
    const { dispatcher } = dialed;
    if (!dispatcher) return expect.fail('dialled without a guard');
    await expect(request(dialed.url, { dispatcher })).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      details: { host: 'mcp.example', address: '10.0.0.1' },
    });
  });

  it('fails for good when its name leads to where no server may be, and says which option to set', async () => {
    const infra = createMCPInfra({ providers: [new UrlReach(resolveOptions({}), { lookupAll: inside })] });
    await infra.start();
    onTestFinished(async () => {
      await infra.stop();
    });
    const { id } = await infra.instances.create({
      name: 'remote',
      jsonSpec: { type: 'url', endpoint: 'http://intranet.example:8080/mcp' },
    });
    await expect(
      infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(10_000) }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('urlProvider({ allow: ["intranet.example:8080"] })') as string,
    });
    expect(await infra.instances.get(id)).toMatchObject({
      status: 'failed',
      statusDetail: { reason: 'ADDRESS_FORBIDDEN', nextRetryAt: null },
    });
  });
});

describe('the provider', () => {
  it('says so when it was not opened, and when it was closed', async () => {
    const provider = new UrlReach(resolveOptions({}));
    await expect(provider.list()).rejects.toMatchObject({ code: 'NOT_STARTED' });
    await provider.close();
    await provider.close();
    await expect(provider.list()).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
  });
});
