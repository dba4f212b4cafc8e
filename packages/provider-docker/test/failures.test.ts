import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memorySecrets } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  engineWith,
  hostile,
  httpFixture,
  remains,
  soon,
  startHost,
  stdioFixture,
  textOf,
  until,
} from './support.js';

const engine = engineWith('mcp/test:latest', 'mcp/hostile:latest');

describe('a container that does not run as wanted', () => {
  it.each<[what: string, code: string, message: RegExp, spec: Omit<ContainerSpec, 'type'>]>([
    [
      'an image that has no such program',
      'COMMAND_NOT_FOUND',
      /no-such-program/,
      { ...stdioFixture, entrypoint: ['/no-such-program'] },
    ],
    [
      'a program that is no program',
      'COMMAND_NOT_EXECUTABLE',
      /main\.js/,
      { ...stdioFixture, entrypoint: ['/app/main.js'] },
    ],
    ['one that exits', 'EXITED_AT_START', /code 3/, hostile('exit-at-once', '--code', '3')],
    [
      'one that takes more memory than it may',
      'OUT_OF_MEMORY',
      /memory/,
      {
        ...stdioFixture,
        entrypoint: ['/usr/bin/node', '-e', 'const a=[];for(;;)a.push(Buffer.alloc(1e7,1))'],
        resources: { memory_limit: '64m' },
      },
    ],
    [
      'one whose heap is too small',
      'OUT_OF_MEMORY',
      /heap out of memory|134|SIGABRT/i,
      {
        ...stdioFixture,
        entrypoint: [
          '/usr/bin/node',
          '--max-old-space-size=20',
          '-e',
          'const a=[];for(;;)a.push(new Array(1e5).fill({}))',
        ],
      },
    ],
    [
      'one that never answers over stdio',
      'STARTUP_TIMEOUT',
      /did not become ready within 2 s/,
      { ...hostile('hang-on-start'), lifecycle: { startup_timeout: 2 } },
    ],
    [
      'one that listens nowhere',
      'STARTUP_TIMEOUT',
      /did not become ready within 2 s/,
      {
        ...stdioFixture,
        command: ['--http', '--port', '9999'],
        port: 8000,
        lifecycle: { startup_timeout: 2 },
      },
    ],
    [
      'a working directory that is a file',
      'WORKDIR_NOT_FOUND',
      /main\.js/,
      { ...stdioFixture, workdir: '/app/main.js' },
    ],
    ['an unknown user', 'INVALID_SPEC', /nobody-knows/, { ...stdioFixture, user: 'nobody-knows' }],
  ])('%s: says so, and leaves nothing in the engine', async (_what, code, message, spec) => {
    const { infra, fleet, create } = await startHost(engine());
    const { id } = await create(spec);
    const failed = await infra.instances.waitFor(id, 'failed', soon());
    expect(failed.statusDetail.reason).toBe(code);
    expect(failed.statusDetail.message).toMatch(message);
    expect(await remains(engine().socketPath, fleet)).toEqual([]);
  });

  it('is tried again when its document was mended', async () => {
    const { infra, create } = await startHost(engine());
    const { id } = await create({ ...httpFixture, entrypoint: ['/no-such-program'] });
    await infra.instances.waitFor(id, 'failed', soon());
    await infra.instances.update(id, { jsonSpec: { entrypoint: null } }, soon());
    await infra.instances.waitUntilReady(id, soon());
    expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'mended' }))).toContain('mended');
  });

  it('that runs out of memory while it serves is running again, and says why it ended', async () => {
    const { infra, create } = await startHost(engine());
    const { id } = await create({ ...stdioFixture, resources: { memory_limit: '128m' } });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.callTool(id, 'grow', { megabytes: 400 }).catch(() => undefined);
    const again = await infra.instances.waitFor(
      id,
      (i) => i.status === 'running' && i.statusDetail.restartCount === 1,
      soon(),
    );
    expect(again.statusDetail.lastExit).toMatchObject({
      oomKilled: true,
      code: 'OUT_OF_MEMORY',
      exitCode: 137,
    });
  });
});

describe('an image that the engine does not have', () => {
  it.each([
    ['is unknown to its registry', 'IMAGE_NOT_FOUND', 404, 'MANIFEST_UNKNOWN'],
    ['is not handed out', 'IMAGE_PULL_DENIED', 403, 'DENIED'],
    ['is behind a registry that fails', 'IMAGE_PULL_FAILED', 503, 'UNAVAILABLE'],
  ])('and %s fails with its own code, and nothing is made', async (_what, code, status, reason) => {
    const address = await registryThatAnswers(status, reason);
    const { infra, fleet, create } = await startHost(engine(), {
      secrets: [memorySecrets({ 'registry:PASSWORD': 'canary-of-a-registry' })],
    });
    const registry = { username: 'somebody', password: 'secret_ref:registry:PASSWORD' };
    const { id } = await create({ ...stdioFixture, image: `${address}/nobody/nothing:1.0`, registry });
    const failed = await infra.instances.waitFor(id, 'failed', soon());
    expect(failed.statusDetail.reason).toBe(code);
    expect(failed.statusDetail.message).toContain('nobody/nothing:1.0');
    expect(failed.statusDetail.nextRetryAt === null).toBe(code !== 'IMAGE_PULL_FAILED');
    expect(await remains(engine().socketPath, fleet)).toEqual([]);
  });

  it('and whose registry is away is tried again, and runs once the image is there', async () => {
    const { infra, create, events } = await startHost(engine());
    const image = `127.0.0.1:9/nobody/later-${Math.random().toString(36).slice(2)}:1.0`;
    const { id } = await create({ ...stdioFixture, image });
    const failed = await infra.instances.waitFor(id, 'failed', soon());
    expect(failed.statusDetail.reason).toBe('IMAGE_PULL_FAILED');
    expect(failed.statusDetail.nextRetryAt).not.toBeNull();
    expect(events.flatMap((e) => (e.type === 'MCPServerInstanceStatusChanged' ? [e.data.to] : []))).toContain(
      'pulling',
    );
    const { default: Docker } = await import('dockerode');
    const docker = new Docker({ socketPath: engine().socketPath });
    const [repo, tag] = [image.slice(0, -4), '1.0'];
    await docker.getImage('mcp/test:latest').tag({ repo, tag });
    onTestFinished(async () => {
      await docker.getImage(image).remove();
    });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.delete(id, { wait: true, ...soon() });
    await until(async () => (await infra.instances.list()).items.length === 0);
  });
});

/** A registry of one answer; engines speak plain HTTP with those on the loopback address. */
async function registryThatAnswers(status: number, code: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (request.url === '/v2/') {
      response.writeHead(200, { 'Docker-Distribution-Api-Version': 'registry/2.0' }).end('{}');
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
