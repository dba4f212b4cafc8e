import { memorySecrets, type MCPInfraError } from '@mcpinfra/core';
import { createTestInfra, fakeProvider, manualClock } from '@mcpinfra/core/testing';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';
import { publicDocument } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { importFleet } from './import-fleet.js';

const canary = 'ghp_canary0123456789abcdefgh';
const tools = {
  env: (_args: unknown, { environment }: { readonly environment: Readonly<Record<string, string>> }) =>
    environment,
};

function threeKinds(options: { readonly gatewayUrl?: string } = {}) {
  const clock = manualClock();
  const providers = [
    fakeProvider({ tools, clock }),
    fakeProvider({ of: processProvider(), tools, clock }),
    fakeProvider({ of: urlProvider(), placement: '*', tools, clock }),
  ] as const;
  return createTestInfra({ ...options, clock, providers, secrets: [memorySecrets()] });
}

describe('importFleet', () => {
  it('says what it needs, makes what it is given that for, and changes nothing the second time', async () => {
    await using t = await threeKinds();
    const text = publicDocument('registry/github.json');
    const first = await importFleet(t.infra, text);
    expect(first).toMatchObject({
      format: 'server.json',
      created: ['server/io.github.github/github-mcp-server@0.24.0'],
      errors: [],
      needs: [
        { instance: 'github-mcp-server', name: 'GITHUB_PERSONAL_ACCESS_TOKEN', secret: true, required: true },
      ],
    });

    const values = { GITHUB_PERSONAL_ACCESS_TOKEN: canary };
    const planned = await importFleet(t.infra, text, { values, dryRun: true });
    expect(planned).toMatchObject({ created: ['instance/github-mcp-server'], needs: [], errors: [] });
    expect(await t.infra.instances.count()).toBe(0);

    const second = await importFleet(t.infra, text, { values });
    expect(second).toMatchObject({ created: ['instance/github-mcp-server'], needs: [], errors: [] });
    await t.settle();
    const [instance] = (await t.infra.instances.list()).items;
    expect(instance).toMatchObject({ status: 'running' });
    const { structuredContent } = await t.infra.instances.callTool(instance!.id, 'env');
    expect(structuredContent).toMatchObject({ GITHUB_PERSONAL_ACCESS_TOKEN: canary });

    const events = t.recordedEvents().length;
    for (const options of [{ values }, { values, dryRun: true }]) {
      const again = await importFleet(t.infra, text, options);
      await t.settle();
      expect(again).toMatchObject({ created: [], updated: [], removed: [], errors: [] });
      expect(again.unchanged).toHaveLength(2);
    }
    expect(t.recordedEvents()).toHaveLength(events);

    await importFleet(t.infra, text, { values: { GITHUB_PERSONAL_ACCESS_TOKEN: `${canary}-2` } });
    await t.settle();
    const rotated = await t.infra.instances.callTool(instance!.id, 'env');
    expect(rotated.structuredContent).toMatchObject({ GITHUB_PERSONAL_ACCESS_TOKEN: `${canary}-2` });
  });

  it('moves secrets of the document itself to the secret store, and echoes none', async () => {
    await using t = await threeKinds();
    const document = {
      mcpServers: {
        files: { command: 'npx', args: ['files'], env: { ONE_TOKEN: canary } },
        remote: {
          url: 'https://example.com/mcp',
          headers: { Authorization: `Bearer ${canary}`, 'X-Odd': '${input:odd}' },
        },
      },
      inputs: [{ id: 'odd', password: true }],
    };
    const values = { odd: `odd-${canary}` };
    const results = [
      await importFleet(t.infra, document, { values }),
      await importFleet(t.infra, document, { values }),
    ];
    await t.settle();
    expect(results).toMatchObject([
      { created: { length: 4 }, errors: [], needs: [] },
      { unchanged: { length: 4 }, updated: [], errors: [] },
    ]);
    expect(results[0]?.secretsInClear).toEqual([
      '/mcpServers/files/env/ONE_TOKEN',
      '/mcpServers/remote/headers/Authorization',
    ]);
    expect(await t.infra.instances.count({ status: 'running' })).toBe(2);
    const shown = [
      results,
      await t.infra.export(),
      await t.infra.instances.list(),
      t.recordedEvents(),
      t.logger.lines,
    ];
    expect(JSON.stringify(shown)).not.toContain('canary');
  });

  it('makes of a list of providers the instances that are asked for', async () => {
    await using t = await threeKinds();
    const text = publicDocument('providers.yaml');
    const all = await importFleet(t.infra, text);
    expect(all).toMatchObject({ needs: [], accepts: [], errors: [] });
    expect(all.created).toHaveLength(20);
    const two = await importFleet(t.infra, text, { instances: ['github', 'memory'] });
    expect(two).toMatchObject({
      created: ['instance/memory'],
      needs: [{ name: 'GITHUB_PERSONAL_ACCESS_TOKEN' }],
    });
    const values = { 'github/GITHUB_PERSONAL_ACCESS_TOKEN': canary, MEMORY_BACKEND: 'redis' };
    const made = await importFleet(t.infra, text, { instances: ['github', 'memory'], values });
    expect(made).toMatchObject({
      created: ['instance/github'],
      updated: ['instance/memory'],
      needs: [],
      errors: [],
    });
    await t.settle();
    expect(await t.infra.instances.count({ status: 'running' })).toBe(2);
  });

  it('runs what can be run in several ways by a provider there is, or by the one that is named', async () => {
    await using t = await createTestInfra({ tools });
    const { notCarried, created } = await importFleet(t.infra, publicDocument('registry/redis.json'));
    expect(created).toContain('instance/mcp-redis');
    expect(notCarried).toMatchObject([{ path: '/packages/0' }]);
    await using other = await threeKinds();
    await importFleet(other.infra, publicDocument('registry/redis.json'), { type: 'process' });
    expect((await other.infra.instances.list({ type: 'process' })).items).toHaveLength(1);
  });

  it('refuses options and values that nothing asks for', async () => {
    await using t = await threeKinds();
    const text = publicDocument('registry/github.json');
    const refusals = [
      { values: { GITHUB_PERSONAL_ACCES_TOKEN: canary } },
      { value: {} },
      { instances: ['github-mcp'] },
      { values: { GITHUB_PERSONAL_ACCESS_TOKEN: {} } },
    ].map((options) => importFleet(t.infra, text, options as object).catch((error: unknown) => error));
    for (const error of await Promise.all(refusals)) {
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect((error as MCPInfraError).message).not.toContain('canary');
    }
    expect(await refusals[0]).toMatchObject({ message: expect.stringContaining('Did you mean') as unknown });
    expect((await t.infra.servers.list()).items).toEqual([]);
  });

  it('imports into the tenant of its scope', async () => {
    await using t = await threeKinds();
    const text = publicDocument('registry/playwright.json');
    await importFleet(t.infra, text);
    const tenant = t.infra.scope({ tenant: 'acme' });
    expect((await importFleet(tenant, text)).created).toHaveLength(2);
    expect((await importFleet(tenant, text)).unchanged).toHaveLength(2);
    expect(await t.infra.instances.count()).toBe(2);
  });

  it('reads what clientConfig writes', async () => {
    await using t = await threeKinds({ gatewayUrl: 'https://mcp.example.com/mcp/' });
    const { id } = await t.infra.instances.create({
      name: 'files',
      jsonSpec: { type: 'docker', image: 'mcp/files' },
    });
    const headers = { Authorization: 'Bearer ${MCP_TOKEN}' };
    const config = await t.infra.instances.clientConfig(id, { headers });

    await using other = await threeKinds();
    const { needs, created } = await importFleet(other.infra, config, { values: { MCP_TOKEN: canary } });
    expect([needs, created]).toEqual([[], ['server/files@1.0.0', 'instance/files']]);
  });
});
