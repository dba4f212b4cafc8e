import { describe, expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const files = { name: 'files', jsonSpec: { type: 'docker', image: 'mcp/files' } } as const;

describe('infra.instances.clientConfig', () => {
  it('points a client at the gateway', async () => {
    await using t = await createTestInfra({ gatewayUrl: 'https://mcp.example.com/mcp/' });
    const { id, slug } = await t.infra.instances.create(files);
    const headers = { Authorization: 'Bearer ${MCP_TOKEN}' };
    const entry = { type: 'http', url: `https://mcp.example.com/mcp/${slug}`, headers };
    const config = await t.infra.instances.clientConfig(id, { headers });
    expect(config).toEqual({ mcpServers: { files: entry } });
    expect(await t.infra.instances.clientConfig(id, { headers, format: 'vscode' })).toEqual({
      servers: { files: entry },
    });
  });

  it('needs to know the address of the gateway', async () => {
    await using t = await createTestInfra();
    const { id } = await t.infra.instances.create(files);
    await expect(t.infra.instances.clientConfig(id)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('gatewayUrl') as unknown,
    });
  });
});
