import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { collect, dial, exitOf, lineWith, openFleet, script } from './fleet.js';

const fixture = [process.execPath, fixtureServer, '--http'];

describe('a server over HTTP', () => {
  it('gets a free port and is reached at it', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: fixture, port: 'auto' });
    const dialed = await dial(fleet, started);
    if (dialed.kind !== 'http') return expect.fail('dialled over stdio');
    expect(started.observation).toMatchObject({
      endpoint: { transport: 'streamable-http', url: dialed.url.href },
    });
    expect(dialed.url.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    expect(await dialed.headers()).toEqual({});
    await lineWith(fleet, started.copy, 'listening');
    expect((await fetch(new URL('/health', dialed.url))).status).toBe(200);
  });

  it('is reached at its own path, with the Host it insists on', async () => {
    const fleet = await openFleet();
    const spec = {
      command: fixture,
      port: 'auto',
      path: '/sse',
      transport: 'sse',
      host_header: 'mcp.example',
    } as const;
    const dialed = await dial(fleet, await fleet.start(spec));
    expect(dialed).toMatchObject({ kind: 'http', transport: 'sse', url: { pathname: '/sse' } });
    expect(dialed.kind === 'http' && (await dialed.headers())).toEqual({ host: 'mcp.example' });
  });

  it('is told its port as PORT and MCP_CONTAINER_PORT', async () => {
    const fleet = await openFleet();
    const source =
      'console.log(process.env.PORT, process.env.MCP_CONTAINER_PORT); setInterval(() => {}, 1000)';
    const started = await fleet.start({ command: script(source), port: 'auto' });
    const dialed = await dial(fleet, started);
    const port = dialed.kind === 'http' ? dialed.url.port : '';
    expect(await lineWith(fleet, started.copy, port)).toBe(`${port} ${port}`);
  });

  it('has its standard output in the logs', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({
      command: script('console.log("out"); console.error("err")'),
      port: 'auto',
    });
    await exitOf(fleet, copy);
    expect((await collect(fleet.provider.logs(copy, {}))).toSorted()).toEqual(['err', 'out']);
  });

  it('never shares an automatic port with another', async () => {
    const fleet = await openFleet();
    const started = await Promise.all(
      Array.from({ length: 10 }, () => fleet.start({ command: ['sleep', '60'], port: 'auto' })),
    );
    const urls = started.map(
      ({ observation }) => observation.state === 'running' && observation.endpoint.url,
    );
    expect(new Set(urls).size).toBe(10);
  });

  it('cannot overlap with itself on a fixed port', async () => {
    const { provider, request } = await openFleet();
    expect(provider.canOverlap(request({ command: fixture, port: 4321 }).spec)).toBe(false);
    expect(provider.canOverlap(request({ command: fixture, port: 'auto' }).spec)).toBe(true);
    expect(provider.canOverlap(request({ command: fixture }).spec)).toBe(true);
  });
});

describe('a server that was given a port but speaks stdio', () => {
  it('is ended and says what to change', async () => {
    const fleet = await openFleet();
    const command = [process.execPath, hostileServer, 'stdio-though-port'];
    const { copy } = await fleet.start({ command, port: 'auto' });
    const exit = await exitOf(fleet, copy);
    expect(exit).toMatchObject({ code: 'SPEAKS_STDIO', oomKilled: false });
    expect(exit.lastLogLines.at(-1)).toMatch(/Nobody listens on port \d+, .*set transport: stdio/);
  });

  it('is found out also when it waits to be spoken to', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({
      command: [process.execPath, fixtureServer, '--stdio'],
      port: 'auto',
    });
    expect(await exitOf(fleet, copy)).toMatchObject({ code: 'SPEAKS_STDIO' });
  });

  it('is recognised when it exits by itself', async () => {
    const fleet = await openFleet();
    const source = 'console.log(JSON.stringify({ jsonrpc: "2.0", method: "hello" })); process.exitCode = 1';
    const { copy } = await fleet.start({ command: script(source), port: 'auto' });
    expect(await exitOf(fleet, copy)).toMatchObject({ code: 'SPEAKS_STDIO', exitCode: 1 });
  });

  it('is not one that logs its messages and listens', async () => {
    const fleet = await openFleet();
    const source = `
      require('node:http').createServer((_, res) => res.end()).listen(process.env.PORT, '127.0.0.1', () => {
        console.log(JSON.stringify({ jsonrpc: '2.0', method: 'hello' }));
        setTimeout(() => console.log('a second later'), 1000);
      });`;
    const { copy } = await fleet.start({ command: script(source), port: 'auto' });
    await lineWith(fleet, copy, 'a second later');
    expect(await fleet.provider.observe(copy)).toMatchObject({ state: 'running' });
  });
});
