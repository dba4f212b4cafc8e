import { memorySecrets } from '@mcpinfra/core';
import { inspect as print } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  engineWith,
  hostile,
  httpFixture,
  inspect,
  killServer,
  pidsOf,
  remains,
  soon,
  startHost,
  stdioFixture,
  textOf,
  until,
} from './support.js';

const engine = engineWith('mcp/test:latest', 'mcp/hostile:latest', 'mcp/filesystem:latest');

describe('the life of an instance in a container', () => {
  it('runs the filesystem server as the platform describes it', async () => {
    const { infra } = await startHost(engine());
    const server = await infra.servers.register({
      name: 'filesystem-mcp',
      dockerImageUrl: 'mcp/filesystem:latest',
      envSchema: [
        { name: 'ALLOWED_DIRECTORIES', type: 'string', required: true },
        { name: 'MAX_FILE_SIZE', type: 'string', default: '10MB' },
      ],
    });
    const { id } = await infra.instances.create({
      name: 'fs-instance-1',
      serverSpecId: server.id,
      jsonSpec: {
        type: 'docker',
        image: 'mcp/filesystem:latest',
        port: 8001,
        environment: { ALLOWED_DIRECTORIES: '/data' },
      },
    });
    const ready = await infra.instances.waitUntilReady(id, soon());
    expect(ready.statusDetail).toMatchObject({
      reason: '',
      health: { state: 'healthy' },
      endpoint: {
        transport: 'streamable-http',
        url: expect.stringMatching(/^http:\/\/10\.201\.[\d.]+:8001\/mcp$/) as string,
      },
    });
    expect(textOf(await infra.instances.callTool(id, 'list_allowed_directories'))).toContain('/data');
    const { Config: config } = await inspect(engine().socketPath, ready);
    expect(config.Env).toEqual(
      expect.arrayContaining([
        'ALLOWED_DIRECTORIES=/data',
        'MAX_FILE_SIZE=10MB',
        `MCP_INSTANCE_ID=${id}`,
        'MCP_SERVICE_NAME=fs-instance-1',
        'MCP_CONTAINER_PORT=8001',
      ]),
    );
    expect(config.Env.some((entry) => entry.startsWith('PORT='))).toBe(false);
  });

  it.each([
    ['stdio', stdioFixture],
    ['http', httpFixture],
  ])(
    'over %s: it comes up, is called, stops, starts, and is gone after its delete',
    async (_transport, spec) => {
      const { infra, fleet, create, events } = await startHost(engine());
      const { id } = await create(spec);
      await infra.instances.waitUntilReady(id, soon());
      expect((await infra.instances.tools(id)).map((tool) => tool.name)).toContain('echo');
      const client = await infra.instances.connect(id);
      const answer = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
      expect(textOf(answer as never)).toContain('hello');
      await client.close();
      const steps = events.flatMap((e) => (e.type === 'MCPServerInstanceStatusChanged' ? [e.data.to] : []));
      expect(steps).toEqual(['starting', 'running']);

      await infra.instances.stop(id, { wait: true, ...soon() });
      await infra.instances.start(id, { wait: true, ...soon() });
      expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'again' }))).toContain('again');
      expect(await remains(engine().socketPath, fleet)).not.toEqual([]);
      await infra.instances.delete(id, { wait: true, ...soon() });
      expect(await remains(engine().socketPath, fleet)).toEqual([]);
    },
  );

  it.each([
    ['stdio', stdioFixture],
    ['http', httpFixture],
  ])(
    'over %s: it is running again after its server was killed, told by the engine',
    async (_transport, spec) => {
      // A resync would notice too, but only after an hour.
      const { infra, create } = await startHost(engine(), { resyncEveryMs: 3_600_000 });
      const created = await create(spec);
      const { id } = await infra.instances.waitUntilReady(created.id, soon());
      const container = await inspect(engine().socketPath, created);
      const pids = await pidsOf(engine().socketPath, container.Id);
      killServer(container, pids);
      const again = await infra.instances.waitFor(
        id,
        (instance) => instance.status === 'running' && instance.statusDetail.restartCount === 1,
        soon(),
      );
      expect(again.statusDetail.lastExit).toMatchObject({
        exitCode: 137,
        signal: 'SIGKILL',
        oomKilled: false,
      });
      expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'back' }))).toContain('back');
      // The same container, started again.
      expect((await inspect(engine().socketPath, created)).Id).toBe(container.Id);
    },
  );

  it('gives a server large messages in both directions, and its log apart from them', async () => {
    const { infra, create } = await startHost(engine());
    const { id } = await create(stdioFixture);
    await infra.instances.waitUntilReady(id, soon());
    const text = 'x'.repeat(3_000_000);
    expect(textOf(await infra.instances.callTool(id, 'echo', { text }))).toContain(text);
    expect(
      textOf(await infra.instances.callTool(id, 'big', { bytes: 20_000_000 })).length,
    ).toBeGreaterThanOrEqual(20_000_000);
    const noisy = await create(hostile('flood-stderr', '--bytes', '200000'));
    await infra.instances.waitUntilReady(noisy.id, soon());
    const lines: string[] = [];
    for await (const line of infra.instances.logs(noisy.id, { tail: 5 })) {
      expect(line.stream).toBe('stderr');
      expect(Date.parse(line.at)).toBeGreaterThan(Date.now() - 60_000);
      lines.push(line.text);
    }
    expect(lines.length).toBe(5);
  });

  it('follows the log of a server over its restart', async () => {
    const { infra, create } = await startHost(engine());
    const created = await create(httpFixture);
    await infra.instances.waitUntilReady(created.id, soon());
    const { socketPath } = engine();
    const ending = new AbortController();
    const lines: string[] = [];
    const following = (async () => {
      for await (const line of infra.instances.logs(created.id, { follow: true }, { signal: ending.signal }))
        lines.push(line.text);
    })().catch(() => undefined);
    await until(() => lines.length === 1);
    const container = await inspect(socketPath, created);
    killServer(container, await pidsOf(socketPath, container.Id));
    await until(() => lines.length === 2);
    expect(lines).toEqual([expect.stringContaining('listening'), expect.stringContaining('listening')]);
    ending.abort();
    await following;
  });

  it('replaces the container when its document changes, and keeps the old one when the new one fails', async () => {
    const { infra, create, fleet } = await startHost(engine());
    const { id, slug } = await create({ ...httpFixture, environment: { COLOUR: 'red' } });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.update(
      id,
      { jsonSpec: { environment: { COLOUR: 'blue' } } },
      { wait: true, ...soon() },
    );
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'COLOUR' }))).toContain('blue');
    const broken = infra.instances.update(
      id,
      { jsonSpec: { entrypoint: ['/no-such-program'] } },
      { wait: true, ...soon() },
    );
    await expect(broken).rejects.toMatchObject({ code: 'UPDATE_ROLLED_BACK' });
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'COLOUR' }))).toContain('blue');
    await until(async () => (await remains(engine().socketPath, fleet)).length === 2);
    expect(await remains(engine().socketPath, fleet)).toEqual([`/mcp-${slug}-r2`, `mcp-${slug}-r2`]);
  });

  it('gives a server its secrets, and leaves them in no log, event or exit record', async () => {
    const value = `canary-${Math.random().toString(36).slice(2)}`;
    const { infra, create, events, logger } = await startHost(engine(), {
      secrets: [memorySecrets({ 'instance_123:API_KEY': value })],
    });
    const environment = {
      API_KEY: 'secret_ref:instance_123:API_KEY',
      URL: 'https://x/?k=${secret_ref:instance_123:API_KEY}&z',
    };
    const { id } = await create({ ...stdioFixture, environment });
    const leaky = await create({ ...hostile('leak-secret'), environment });
    await infra.instances.waitUntilReady(id, soon());
    await infra.instances.waitUntilReady(leaky.id, soon());
    expect(textOf(await infra.instances.callTool(id, 'env', { name: 'URL' }))).toContain(`?k=${value}&z`);
    const lines: string[] = [];
    for await (const line of infra.instances.logs(leaky.id)) lines.push(line.text);
    expect(lines.join('\n')).toContain('API_KEY');
    expect(lines.join('\n')).not.toContain(value);
    const container = await inspect(engine().socketPath, leaky);
    killServer(container, await pidsOf(engine().socketPath, container.Id));
    const again = await infra.instances.waitFor(leaky.id, (i) => i.statusDetail.lastExit !== null, soon());
    expect(again.statusDetail.lastExit?.lastLogLines.join('\n')).toContain('API_KEY');
    for (const surface of [again, events, logger.lines])
      expect(print(surface, { depth: null })).not.toContain(value);
  });
});
