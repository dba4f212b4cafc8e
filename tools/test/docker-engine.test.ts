import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  seedImages,
  startDockerEngine,
  startPrivateDockerEngine,
  type PrivateDockerEngine,
  type PrivateDockerEngineOptions,
} from '../src/index.js';
import { EngineApi } from '../src/services/docker/engine-api.js';
import { serviceOrSkip } from '../src/vitest.js';
import { callText, connectHttp, createClient } from './support/clients.js';
import { internalNetwork, TestContainer } from './support/containers.js';
import { eventually } from './support/eventually.js';

const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const stdio = { OpenStdin: true, AttachStdin: true, AttachStdout: true };
const httpCommand = ['--http', '--host', '0.0.0.0', '--port', '8000'];

describe('a shared engine', () => {
  const engine = serviceOrSkip(async () => {
    const started = await startDockerEngine();
    await seedImages(started, ['mcp/test:latest', 'mcp/hostile:latest']);
    return started;
  });

  it('runs a server that answers on its stdin and stdout', async () => {
    const container = await TestContainer.create(engine(), {
      Image: 'mcp/test:latest',
      ...stdio,
      HostConfig: { NetworkMode: 'none' },
    });
    const attachment = await container.attach();
    await container.start();
    attachment.write(initialize);
    expect(await attachment.answer(1)).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  it('runs a server that the host reaches in a network without a way out', async () => {
    await internalNetwork(engine(), 'tools-test-http');
    const container = await TestContainer.create(engine(), {
      Image: 'mcp/test:latest',
      Cmd: httpCommand,
      User: '65532:65532',
      HostConfig: { NetworkMode: 'tools-test-http', ReadonlyRootfs: true, CapDrop: ['ALL'], Init: true },
    });
    await container.start();
    const address = await container.address('tools-test-http');
    await expect.poll(async () => isHealthy(address), eventually).toBe(true);
    const client = createClient('legacy');
    await connectHttp(client, `http://${address}:8000/mcp`);
    expect(await callText(client, 'echo', { text: 'from a container' })).toBe('from a container');
  });

  it('runs a hostile server', async () => {
    const container = await TestContainer.create(engine(), {
      Image: 'mcp/hostile:latest',
      Cmd: ['exit-at-once', '--code', '7'],
    });
    await container.start();
    expect(await container.exitCode()).toBe(7);
  });

  it('makes an image once', async () => {
    const idOf = async () =>
      (await new EngineApi(engine().socketPath).json<{ Id: string }>('GET', '/images/mcp/test:latest/json'))
        .Id;
    const before = await idOf();
    await seedImages(engine(), ['mcp/test:latest']);
    expect(await idOf()).toBe(before);
  });
});

describe('a private engine', { timeout: 120_000 }, () => {
  // Skips where none can be started; the tests start their own.
  serviceOrSkip(async () => startPrivateDockerEngine());

  it('is another one for each caller, with networks that keep working when the other starts', async () => {
    const first = await privateEngine();
    await internalNetwork(first, 'tools-test-first');
    const rules = rulesNaming(await bridgeOf(first, 'tools-test-first'));
    expect(rules).toContainEqual(expect.stringContaining('DROP'));
    const second = await privateEngine();
    await internalNetwork(second, 'tools-test-second');
    expect(second.socketPath).not.toBe(first.socketPath);
    expect(rulesNaming(await bridgeOf(first, 'tools-test-first')).sort()).toEqual(rules.sort());
    await second.kill();
    await second.restart();
    expect(rulesNaming(await bridgeOf(first, 'tools-test-first')).sort()).toEqual(rules.sort());
  });

  it('is killed and comes back with its containers, which have ended', async () => {
    const engine = await privateEngine();
    const container = await runningServer(engine);
    const { Pid } = (await container.inspect()).State;
    await engine.kill();
    expect(engine.pid).toBeUndefined();
    expect(existsSync(`/proc/${Pid}`)).toBe(true);
    await engine.restart();
    expect((await container.inspect()).State).toMatchObject({ Running: false });
    await container.start();
    expect((await container.inspect()).State.Running).toBe(true);
  });

  it('keeps containers running while it is away, when asked to', async () => {
    const engine = await privateEngine({ liveRestore: true });
    const container = await runningServer(engine);
    const { Pid } = (await container.inspect()).State;
    await engine.kill();
    await engine.restart();
    expect((await container.inspect()).State).toMatchObject({ Running: true, Pid });
  });

  it('leaves no process, mount, bridge, rule or file when it is stopped', async () => {
    const engine = await privateEngine();
    await internalNetwork(engine, 'tools-test-gone');
    const bridge = await bridgeOf(engine, 'tools-test-gone');
    await runningServer(engine, 'tools-test-gone');
    await engine.stop();
    expect(tracesOf(engine, bridge)).toEqual([]);
  });

  it('leaves nothing either when it is stopped after it was killed', async () => {
    const engine = await privateEngine({ liveRestore: true });
    await internalNetwork(engine, 'tools-test-killed');
    const bridge = await bridgeOf(engine, 'tools-test-killed');
    await runningServer(engine, 'tools-test-killed');
    await engine.kill();
    await engine.stop();
    expect(tracesOf(engine, bridge)).toEqual([]);
  });

  it('leaves no process, mount, socket or file even when it cannot start any more', async () => {
    const engine = await privateEngine({ liveRestore: true });
    const container = await runningServer(engine);
    const { Pid } = (await container.inspect()).State;
    const socket = shimSocketOf(engine, container);
    expect(existsSync(socket)).toBe(true);
    await engine.kill();
    writeFileSync(`${engine.root}/daemon.json`, 'no configuration');
    await engine.stop();
    expect(tracesOf(engine, 'no-bridge')).toEqual([]);
    expect(existsSync(`/proc/${Pid}/exe`)).toBe(false);
    expect(existsSync(socket)).toBe(false);
  });

  async function privateEngine(options?: PrivateDockerEngineOptions): Promise<PrivateDockerEngine> {
    const engine = await startPrivateDockerEngine(options);
    onTestFinished(async () => engine.stop(), 60_000);
    return engine;
  }
});

async function runningServer(engine: PrivateDockerEngine, network = 'none'): Promise<TestContainer> {
  await seedImages(engine, ['mcp/test:latest']);
  const container = await TestContainer.create(engine, {
    Image: 'mcp/test:latest',
    ...stdio,
    HostConfig: { NetworkMode: network, Init: true },
  });
  await container.start();
  return container;
}

async function isHealthy(address: string): Promise<boolean> {
  return await fetch(`http://${address}:8000/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function bridgeOf(engine: PrivateDockerEngine, network: string): Promise<string> {
  const { Id } = await new EngineApi(engine.socketPath).json<{ Id: string }>('GET', `/networks/${network}`);
  return `br-${Id.slice(0, 12)}`;
}

function rulesNaming(bridge: string): string[] {
  return execFileSync('iptables-save', { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(bridge));
}

/** In a folder that all engines of the machine share. */
function shimSocketOf({ root }: PrivateDockerEngine, { id }: TestContainer): string {
  const tasks = `${root}/exec/containerd/daemon/io.containerd.runtime.v2.task/moby`;
  return readFileSync(`${tasks}/${id}/address`, 'utf8').replace('unix://', '');
}

/** Everything of an engine that is still on the machine. */
function tracesOf({ root }: PrivateDockerEngine, bridge: string): string[] {
  const processes = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(root);
    } catch {
      return false;
    }
  });
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(root));
  const bridges = readdirSync('/sys/class/net').filter((name) => name === bridge);
  const files = readdirSync(tmpdir()).filter((name) => root.endsWith(name));
  return [...processes, ...mounts, ...bridges, ...rulesNaming(bridge), ...files];
}
