import { describe, expect, it } from 'vitest';
import { seedImages, startDockerEngine } from '../src/index.js';
import { serviceOrSkip } from '../src/vitest.js';
import { callText, connectHttp, createClient } from './support/clients.js';
import { internalNetwork, TestContainer } from './support/containers.js';
import { eventually } from './support/eventually.js';

const hardened = { User: '65532:65532' };
const host = { ReadonlyRootfs: true, CapDrop: ['ALL'], Init: true, Memory: 512 * 1024 * 1024 };

describe('the images of the examples', () => {
  const engine = serviceOrSkip(async () => {
    const started = await startDockerEngine();
    await seedImages(started, ['agentarea/echo:latest', 'mcp/everything:latest', 'mcp/filesystem:latest']);
    return started;
  });

  it('serve the folders of ALLOWED_DIRECTORIES over HTTP', async () => {
    const address = await serve('mcp/filesystem:latest', 'tools-test-filesystem', [
      'ALLOWED_DIRECTORIES=/data,/tmp',
      'MCP_CONTAINER_PORT=8001',
    ]);
    await expect.poll(async () => statusOf(`http://${address}:8001/health`), eventually).toBe(200);
    const client = createClient('legacy');
    await connectHttp(client, `http://${address}:8001/mcp`);
    expect(await callText(client, 'list_allowed_directories')).toContain('/data\n/tmp');
    await callText(client, 'write_file', { path: '/tmp/note.txt', content: 'kept' });
    const other = createClient('legacy');
    await connectHttp(other, `http://${address}:8001/mcp`);
    expect(await callText(other, 'read_text_file', { path: '/tmp/note.txt' })).toBe('kept');
  });

  it('end at once without ALLOWED_DIRECTORIES', async () => {
    const container = await TestContainer.create(engine(), { Image: 'mcp/filesystem:latest' });
    await container.start();
    expect(await container.exitCode()).toBe(1);
  });

  it('echo what they are asked over plain HTTP', async () => {
    const address = await serve('agentarea/echo:latest', 'tools-test-echo', ['PORT=8080']);
    await expect.poll(async () => statusOf(`http://${address}:8080/`), eventually).toBe(200);
    expect(await statusOf(`http://${address}:8080/health`)).toBe(200);
    const answer = await fetch(`http://${address}:8080/a?b=c`, { method: 'POST', body: 'hello' });
    expect(await answer.json()).toMatchObject({ method: 'POST', url: '/a?b=c', body: 'hello' });
  });

  it('serve everything on stdin and stdout', async () => {
    const container = await TestContainer.create(engine(), {
      ...hardened,
      Image: 'mcp/everything:latest',
      OpenStdin: true,
      AttachStdin: true,
      AttachStdout: true,
      HostConfig: { ...host, NetworkMode: 'none' },
    });
    const attachment = await container.attach();
    await container.start();
    attachment.write({
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      },
    });
    expect(await attachment.answer(1)).toMatchObject({
      result: { instructions: expect.any(String) as string },
    });
  });

  async function serve(image: string, network: string, environment: readonly string[]): Promise<string> {
    await internalNetwork(engine(), network);
    const container = await TestContainer.create(engine(), {
      ...hardened,
      Image: image,
      Env: environment,
      HostConfig: { ...host, NetworkMode: network, Tmpfs: { '/tmp': 'mode=1777' } },
    });
    await container.start();
    return await container.address(network);
  }
});

async function statusOf(url: string): Promise<number> {
  return await fetch(url).then(
    ({ status }) => status,
    () => 0,
  );
}
