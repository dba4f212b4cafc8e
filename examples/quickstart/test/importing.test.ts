import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestInfra, type TestInfra } from '@mcpinfra/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exportForClient, importCatalogue, importFile, previewText } from '../src/importing.js';

let t: TestInfra;
let directory: string;

beforeEach(async () => {
  t = await createTestInfra({ gatewayUrl: 'https://mcp.example.com/mcp' });
  directory = mkdtempSync(join(tmpdir(), 'importing-'));
  vi.spyOn(console, 'log').mockReturnValue();
});

afterEach(async () => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
  await t.stop();
});

describe('the page about importing', () => {
  it('imports the file of a client with what it asks for', async () => {
    const path = join(directory, 'mcp.json');
    const args = [
      'run',
      '-i',
      '--rm',
      '-e',
      'GITHUB_PERSONAL_ACCESS_TOKEN',
      'ghcr.io/github/github-mcp-server',
    ];
    writeFileSync(path, JSON.stringify({ mcpServers: { github: { command: 'docker', args } } }));
    const ask = vi.fn(() => Promise.resolve('ghp_example0123456789abcdefgh'));
    const again = await importFile(t.infra, path, ask);
    expect(ask.mock.calls).toEqual([['GITHUB_PERSONAL_ACCESS_TOKEN (secret): ']]);
    expect(again).toMatchObject({
      needs: [],
      errors: [],
      created: [],
      updated: [],
      unchanged: { length: 2 },
    });
    await t.settle();
    const [instance] = (await t.infra.instances.list({ status: 'running' })).items;
    expect(await exportForClient(t.infra, instance!.id)).toMatchObject({
      mcpServers: { github: { type: 'http', url: `https://mcp.example.com/mcp/${instance!.slug}` } },
    });
  });

  it('tells without a fleet what a document needs', () => {
    const entry = { url: 'https://example.com/mcp', headers: { Authorization: 'Bearer ${MCP_TOKEN}' } };
    expect(previewText(JSON.stringify({ mcpServers: { one: entry } }))).toEqual(['MCP_TOKEN']);
  });

  it('makes one instance of a catalogue', async () => {
    const text = [
      'providers:',
      '  github:',
      '    docker_image: mcp/github',
      '    env_vars: [{ name: GITHUB_PERSONAL_ACCESS_TOKEN, required: true }]',
      '  memory: { docker_image: mcp/memory }',
    ].join('\n');
    await importCatalogue(t.infra, text, 'ghp_example0123456789abcdefgh');
    await t.settle();
    expect((await t.infra.servers.list()).items).toHaveLength(2);
    expect((await t.infra.instances.list()).items).toMatchObject([{ name: 'github', status: 'running' }]);
  });
});
