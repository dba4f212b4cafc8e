import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bearersOf, collect, environmentOf, exitOf, openFleet, script, until } from './fleet.js';

const fixture = [process.execPath, fixtureServer, '--stdio'];

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mcpinfra-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

describe('a start', () => {
  it('resolves when the process runs', async () => {
    const fleet = await openFleet();
    const { observation, pids } = await fleet.start({ command: fixture });
    expect(observation).toMatchObject({ state: 'running', endpoint: { transport: 'stdio' } });
    expect(pids()).toHaveLength(1);
  });

  it('asked for again leaves what runs alone, and its secret backends too', async () => {
    const fleet = await openFleet();
    let asked = 0;
    const request = fleet.request(
      { command: fixture },
      { environment: async () => ({ ASKED: String((asked += 1)) }) },
    );
    const seen = await Promise.all([1, 2, 3].map(() => fleet.provider.ensureRunning(request)));
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(bearersOf(fleet.name)).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it('after a crash needs no secret backend and keeps the logs', async () => {
    const fleet = await openFleet();
    let asked = 0;
    const request = fleet.request(
      { command: script('console.error("run with", process.env.TOKEN); setInterval(() => {}, 1000)') },
      { environment: async () => ({ TOKEN: `token-${(asked += 1)}` }) },
    );
    const { provider } = fleet;
    await provider.ensureRunning(request);
    const linesOf = async () => collect(provider.logs(request.copy, {}));
    await until(async () => (await linesOf()).length === 1);
    process.kill(bearersOf(fleet.name)[0]!, 'SIGKILL');
    expect(await exitOf(fleet, request.copy)).toMatchObject({ signal: 'SIGKILL', oomKilled: false });
    expect(await provider.ensureRunning(request)).toMatchObject({ state: 'running' });
    await until(async () => (await linesOf()).length === 2);
    expect(await linesOf()).toEqual(['run with token-1', 'run with token-1']);
    expect(asked).toBe(1);
  });

  it('runs two revisions of an instance side by side', async () => {
    const fleet = await openFleet();
    const first = fleet.request({ command: fixture });
    const second = { ...first, copy: { ...first.copy, revision: 2 } };
    await fleet.provider.ensureRunning(first);
    await fleet.provider.ensureRunning(second);
    expect(bearersOf(fleet.name)).toHaveLength(2);
    await fleet.provider.destroy(first.copy, { graceMs: 0 });
    expect(await fleet.provider.observe(first.copy)).toEqual({ state: 'absent' });
    expect(await fleet.provider.observe(second.copy)).toMatchObject({ state: 'running' });
  });

  it('runs 20 copies at once', async () => {
    const fleet = await openFleet();
    const started = await Promise.all(
      Array.from({ length: 20 }, () => fleet.start({ command: ['sleep', '60'] })),
    );
    expect(started.every(({ observation }) => observation.state === 'running')).toBe(true);
    expect(bearersOf(fleet.name)).toHaveLength(20);
    await Promise.all(started.map(({ copy }) => fleet.provider.destroy(copy, { graceMs: 1_000 })));
    expect(bearersOf(fleet.name)).toEqual([]);
    expect(await fleet.provider.list()).toEqual([]);
  });

  it('takes over a copy from a worker that lost it: the other process ends', async () => {
    const stalled = await openFleet();
    const owner = await openFleet({}, stalled.name);
    const { request, pids } = await stalled.start({ command: fixture });
    const [before] = pids();
    await owner.provider.ensureRunning(request);
    expect(pids()).toHaveLength(1);
    expect(pids()).not.toEqual([before]);
  });
});

describe('a start that cannot be', () => {
  it('says which command is missing and where it was looked for', async () => {
    const fleet = await openFleet();
    const start = fleet.start({ command: ['no-such-command-here'] });
    await expect(start).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
    await expect(start).rejects.toThrow(
      `no-such-command-here is in no directory of PATH (${process.env['PATH']!})`,
    );
    await expect(fleet.start({ command: ['/no/such/file'] })).rejects.toThrow('/no/such/file does not exist');
    expect(await fleet.provider.list()).toEqual([]);
  });

  it('says that a file is not executable, or its interpreter is missing', async () => {
    const fleet = await openFleet();
    const file = join(await directory(), 'server');
    await writeFile(file, '#!/no/such/interpreter\n', { mode: 0o644 });
    await expect(fleet.start({ command: [file] })).rejects.toMatchObject({ code: 'COMMAND_NOT_EXECUTABLE' });
    await chmod(file, 0o755);
    const start = fleet.start({ command: [file] });
    await expect(start).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
    await expect(start).rejects.toThrow('interpreter');
  });

  it('tells a missing directory from a missing command', async () => {
    const fleet = await openFleet();
    const start = fleet.start({ command: fixture, cwd: '/no/such/directory' });
    await expect(start).rejects.toMatchObject({ code: 'WORKDIR_NOT_FOUND' });
    await expect(start).rejects.toThrow('/no/such/directory');
    await expect(fleet.start({ command: fixture, cwd: '/etc/passwd' })).rejects.toThrow('found a file');
  });

  it('names the port that somebody listens on', async () => {
    const fleet = await openFleet();
    const other = createServer().listen(0);
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const start = fleet.start({ command: fixture, port });
    await expect(start).rejects.toMatchObject({ code: 'PORT_IN_USE', details: { port } });
    await expect(start).rejects.toThrow(String(port));
  });

  it('names the variable that holds a null byte, not its value', async () => {
    const fleet = await openFleet();
    const start = fleet.start({ command: fixture }, { API_KEY: 'hush\0hush' });
    await expect(start).rejects.toMatchObject({ code: 'INVALID_SPEC' });
    await expect(start).rejects.toThrow('API_KEY');
    await expect(start).rejects.not.toThrow('hush');
  });

  it('hands on why there is no environment, and can be tried again', async () => {
    const fleet = await openFleet();
    let isDown = true;
    const request = fleet.request(
      { command: fixture },
      { environment: async () => (isDown ? Promise.reject(new Error('vault is down')) : {}) },
    );
    await expect(fleet.provider.ensureRunning(request)).rejects.toThrow('vault is down');
    expect(await fleet.provider.observe(request.copy)).toEqual({ state: 'absent' });
    isDown = false;
    expect(await fleet.provider.ensureRunning(request)).toMatchObject({ state: 'running' });
  });
});

describe('an aborted start', () => {
  it('before it began starts nothing', async () => {
    const fleet = await openFleet();
    const request = fleet.request({ command: fixture });
    const start = fleet.provider.ensureRunning(request, { signal: AbortSignal.abort() });
    await expect(start).rejects.toMatchObject({ code: 'ABORTED' });
    expect(bearersOf(fleet.name)).toEqual([]);
  });

  it('while it waits for secrets rejects at once and starts nothing later', async () => {
    const fleet = await openFleet();
    const controller = new AbortController();
    let answer: (environment: Record<string, string>) => void = () => {};
    const request = fleet.request(
      { command: fixture },
      { environment: () => new Promise((resolve) => (answer = resolve)) },
    );
    const start = fleet.provider.ensureRunning(request, { signal: controller.signal });
    controller.abort();
    await expect(start).rejects.toMatchObject({ code: 'ABORTED' });
    answer({});
    expect(await fleet.provider.observe(request.copy)).toEqual({ state: 'absent' });
    expect(bearersOf(fleet.name)).toEqual([]);
  });

  it('at any moment leaves nothing running', async () => {
    const fleet = await openFleet();
    for (let turns = 0; turns < 40; turns += 1) {
      const controller = new AbortController();
      const request = fleet.request({ command: ['sleep', '60'] });
      const start = fleet.provider.ensureRunning(request, { signal: controller.signal }).then(
        () => 'running',
        () => 'aborted',
      );
      for (let turn = 0; turn < turns; turn += 1)
        await (turn % 4 === 3 ? new Promise(setImmediate) : undefined);
      controller.abort();
      if ((await start) === 'running') await fleet.provider.destroy(request.copy, { graceMs: 0 });
      else expect(bearersOf(fleet.name)).toEqual([]);
    }
  });

  it('leaves a copy alone that ran before', async () => {
    const fleet = await openFleet();
    const { request, pids } = await fleet.start({ command: fixture });
    const start = fleet.provider.ensureRunning(request, { signal: AbortSignal.abort() });
    await expect(start).rejects.toMatchObject({ code: 'ABORTED' });
    expect(pids()).toHaveLength(1);
  });
});

describe('an exit', () => {
  it('is noticed at once, with code and last lines', async () => {
    const fleet = await openFleet();
    const heard = new Promise((resolve) => fleet.provider.watch(resolve));
    const { copy } = await fleet.start({
      command: [process.execPath, hostileServer, 'exit-at-once', '--code', '3'],
    });
    expect(await heard).toEqual(copy);
    expect(await fleet.provider.observe(copy)).toEqual({
      state: 'exited',
      exit: {
        at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        exitCode: 3,
        signal: null,
        oomKilled: false,
        lastLogLines: ['fatal: cannot open the configuration', 'fatal: giving up'],
      },
    });
    expect(await fleet.provider.list()).toMatchObject([{ copy, storeId: 'store-1', state: 'exited' }]);
  });

  it('holds the last 20 lines of this run only', async () => {
    const fleet = await openFleet();
    const source = 'for (let n = 1; n <= 30; n++) console.error("line", n); process.exitCode = 1';
    const { copy } = await fleet.start({ command: script(source) });
    const { lastLogLines } = await exitOf(fleet, copy);
    expect(lastLogLines).toHaveLength(20);
    expect(lastLogLines.at(-1)).toBe('line 30');
  });

  it('ends the children it leaves behind, before anything is started again', async () => {
    const fleet = await openFleet();
    const source = `
      const { spawn } = require('node:child_process');
      for (const detached of [false, true]) spawn('sleep', ['60'], { detached, stdio: 'ignore' }).unref();
      process.exit(1);`;
    const { request, copy, pids } = await fleet.start({ command: script(source) });
    await exitOf(fleet, copy);
    expect(pids()).toEqual([]);
    await fleet.provider.ensureRunning(request);
    await exitOf(fleet, copy);
    expect(pids()).toEqual([]);
  });

  it('at the heap limit of the runtime is out of memory', async () => {
    const fleet = await openFleet();
    const source = 'const all = []; for (;;) all.push(new Array(1e5).fill(all.length))';
    const { copy } = await fleet.start({
      command: [process.execPath, '--max-old-space-size=32', '-e', source],
    });
    expect(await exitOf(fleet, copy)).toMatchObject({
      code: 'OUT_OF_MEMORY',
      oomKilled: false,
      signal: 'SIGABRT',
    });
  });

  it('over a port that was lost to somebody else says so', async () => {
    const fleet = await openFleet();
    const source = `
      const { createServer } = require('node:net');
      createServer().listen(process.env.PORT, '127.0.0.1', () => createServer().listen(process.env.PORT, '127.0.0.1'));`;
    const { copy } = await fleet.start({ command: script(source), port: 'auto' });
    expect(await exitOf(fleet, copy)).toMatchObject({ code: 'PORT_IN_USE', exitCode: 1 });
  });
});

describe('the environment of a server', () => {
  it('holds PATH and HOME, what was resolved, and our marks: nothing else of the host', async () => {
    const fleet = await openFleet();
    const { copy, pids } = await fleet.start(
      { command: ['sleep', '60'] },
      { MCP_INSTANCE_ID: 'i-1', A: '1' },
    );
    const found = Object.fromEntries(
      environmentOf(pids()[0]!).map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );
    expect(found).toEqual({
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      MCP_INSTANCE_ID: 'i-1',
      A: '1',
      MCPINFRA_FLEET: fleet.name,
      MCPINFRA_STORE: 'store-1',
      MCPINFRA_INSTANCE: copy.instanceId,
      MCPINFRA_REVISION: '1',
      MCPINFRA_SLUG: copy.slug,
      MCPINFRA_OWNER: expect.stringMatching(
        new RegExp(`^[0-9a-f]+\\.[0-9a-f]+\\.${process.pid}\\.\\d+$`),
      ) as string,
    });
  });

  it('holds what the host hands on by name', async () => {
    process.env['MCPINFRA_TEST_LANG'] = 'tlh';
    onTestFinished(() => {
      delete process.env['MCPINFRA_TEST_LANG'];
    });
    const fleet = await openFleet({ env: ['MCPINFRA_TEST_LANG', 'MCPINFRA_TEST_UNSET'] });
    const { pids } = await fleet.start({ command: ['sleep', '60'] });
    expect(environmentOf(pids()[0]!)).toContain('MCPINFRA_TEST_LANG=tlh');
  });
});
