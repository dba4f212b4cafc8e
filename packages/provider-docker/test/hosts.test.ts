import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { memoryStore, type MCPServerInstance } from '@mcpinfra/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  containersOf,
  engineWith,
  httpFixture,
  rawEngine,
  remains,
  soon,
  startHost,
  stdioFixture,
  textOf,
  until,
} from './support.js';

const engine = engineWith('mcp/test:latest');
const program = fileURLToPath(new URL('host-process.mjs', import.meta.url));
const inputs = [
  { name: 'over stdio', jsonSpec: { type: 'docker', ...stdioFixture } },
  { name: 'over http', jsonSpec: { type: 'docker', ...httpFixture } },
];

describe('a host that was killed', () => {
  it('finds its containers again when it is back, and makes none twice', async () => {
    const { socketPath } = engine();
    const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const fleet = `test-${randomUUID()}`;
    const store = { file: join(directory, 'store.json'), fleet };
    const before = await killedHost(socketPath, store);
    const containers = await containersOf(socketPath, fleet);
    expect(containers.map((container) => container.State)).toEqual(['running', 'running']);

    const { infra } = await startHost(engine(), { fleet, store: memoryStore(store) });
    for (const { id } of before) {
      await infra.instances.waitUntilReady(id, soon());
      expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'again' }))).toContain('again');
    }
    const after = await containersOf(socketPath, fleet);
    const identity = ({ Id: id, Created: created }: { Id: string; Created: number }) =>
      `${id} ${String(created)}`;
    expect(after.map(identity).sort()).toEqual(containers.map(identity).sort());
    const { items } = await infra.instances.list();
    expect(items.map((instance) => instance.statusDetail.restartCount)).toEqual([0, 0]);
  });

  it('leaves containers that the next host removes, where its store died with it', async () => {
    const { socketPath } = engine();
    const before = await killedHost(socketPath, {});
    const names = before.map(({ slug }) => `mcp-${slug}-r1`);
    const left = async (): Promise<string[]> => {
      const containers = await rawEngine(socketPath).listContainers({ all: true, filters: { name: names } });
      const networks = await rawEngine(socketPath).listNetworks({ filters: { name: names } });
      return [...containers.flatMap((one) => one.Names), ...networks.map((one) => one.Name)];
    };
    expect(await left()).toHaveLength(3);
    await startHost(engine());
    await until(async () => (await left()).length === 0);
  });
});

describe('what is not of this store', () => {
  it('is left alone: a container of somebody else, and another fleet on the same engine', async () => {
    const { socketPath } = engine();
    const docker = rawEngine(socketPath);
    const other = await startHost(engine());
    const theirs = await other.create(stdioFixture);
    await other.infra.instances.waitUntilReady(theirs.id, soon());
    const own = await startHost(engine(), { resyncEveryMs: 200 });
    const created = await own.create({ ...stdioFixture, entrypoint: ['/no-such-program'] });
    await own.infra.instances.waitFor(created.id, 'failed', soon());

    // Somebody makes a container of the name that the next start will need.
    const names = [1, 2, 3].map((revision) => `mcp-${created.slug}-r${String(revision)}`);
    const foreign = await Promise.all(
      names.map((name) =>
        docker.createContainer({ name, Image: 'mcp/test:latest', HostConfig: { NetworkMode: 'none' } }),
      ),
    );
    onTestFinished(async () => {
      for (const container of foreign) await container.remove({ force: true });
    });
    await own.infra.instances.update(created.id, { jsonSpec: { entrypoint: null } }, soon());
    const failed = await own.infra.instances.waitFor(
      created.id,
      (i) => i.status === 'failed' && i.statusDetail.reason === 'ALREADY_EXISTS',
      soon(),
    );
    expect(failed.statusDetail.message).toContain('is not of this fleet');
    await own.infra.instances.delete(created.id, { wait: true, ...soon() });
    for (const container of foreign) expect((await container.inspect()).State.Status).toBe('created');

    // Several resyncs of an empty store later.
    await own.infra.collect();
    expect(await remains(socketPath, other.fleet)).toEqual([`/mcp-${theirs.slug}-r1`]);
    expect(textOf(await other.infra.instances.callTool(theirs.id, 'echo', { text: 'there' }))).toContain(
      'there',
    );
  });

  it('stays when an empty store takes over the fleet: a foreign store is only told of', async () => {
    const first = await startHost(engine());
    const theirs = await first.create(httpFixture);
    await first.infra.instances.waitUntilReady(theirs.id, soon());
    const second = await startHost(engine(), { fleet: first.fleet, resyncEveryMs: 200 });
    const collected = await second.infra.collect({ force: true });
    expect(collected.removed).toEqual([]);
    expect(collected.foreign.map(({ name }) => name)).toContain(`mcp-${theirs.slug}-r1`);
    expect(textOf(await first.infra.instances.callTool(theirs.id, 'echo', { text: 'there' }))).toContain(
      'there',
    );
    // The tests of remains look at the whole fleet.
    await first.infra.instances.delete(theirs.id, { wait: true, ...soon() });
  });

  it('collects what no row speaks of: a container, and a network that lost its container', async () => {
    const { socketPath } = engine();
    const { infra, fleet, create } = await startHost(engine());
    const kept = await create(httpFixture);
    await infra.instances.waitUntilReady(kept.id, soon());
    const labels = (await containersOf(socketPath, fleet))[0]?.Labels ?? {};
    const lost = { ...labels, 'io.mcpinfra.instance': randomUUID(), 'io.mcpinfra.slug': 'lost-00000000' };
    const docker = rawEngine(socketPath);
    const name = `mcp-lost-00000000-r1`;
    await docker.createNetwork({
      Name: `${name}-abcd`,
      Labels: lost,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.202.7.0/28' }] },
    });
    await docker.createContainer({
      name,
      Image: 'mcp/test:latest',
      Labels: lost,
      HostConfig: { NetworkMode: 'none' },
    });
    const orphan = { ...lost, 'io.mcpinfra.instance': randomUUID(), 'io.mcpinfra.slug': 'alone-00000000' };
    await docker.createNetwork({
      Name: 'mcp-alone-00000000-r1-abcd',
      Labels: orphan,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.202.8.0/28' }] },
    });
    const { removed } = await infra.collect({ force: true });
    expect([...removed].sort()).toEqual(['mcp-alone-00000000-r1', name]);
    expect(await remains(socketPath, fleet)).toEqual([`/mcp-${kept.slug}-r1`, `mcp-${kept.slug}-r1`]);
  });
});

/** Starts a host in a process of its own, has it make the instances, and kills it. */
async function killedHost(socketPath: string, store: object): Promise<MCPServerInstance[]> {
  const host = spawn(process.execPath, [program, socketPath, JSON.stringify(store), JSON.stringify(inputs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    host.kill('SIGKILL');
  });
  let made: MCPServerInstance[] = [];
  for await (const line of createInterface(host.stdout)) {
    made = JSON.parse(line) as MCPServerInstance[];
    break;
  }
  const ended = new Promise((resolve) => host.once('exit', resolve));
  host.kill('SIGKILL');
  await ended;
  return made;
}
