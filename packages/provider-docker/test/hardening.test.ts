import { mkdir, readdir, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { inspect as print } from 'node:util';
import { memorySecrets } from '@mcpinfra/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  engineWith,
  httpFixture,
  inspect,
  rawEngine,
  soon,
  startHost,
  stdioFixture,
  textOf,
} from './support.js';

const engine = engineWith('mcp/test:latest');

describe('a container without any word on isolation', () => {
  it('has every control, as the engine itself says', async () => {
    const { infra, create } = await startHost(engine());
    const created = await create(stdioFixture);
    await infra.instances.waitUntilReady(created.id, soon());
    const { HostConfig: host, Config: config, Mounts: mounts } = await inspect(engine().socketPath, created);
    expect(host).toMatchObject({
      CapDrop: ['ALL'],
      CapAdd: [],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,mode=1777,size=64m' },
      PidsLimit: 256,
      Memory: 512 * 1024 ** 2,
      MemorySwap: 512 * 1024 ** 2,
      NanoCpus: 1e9,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      Init: true,
      RestartPolicy: { Name: 'no' },
      IpcMode: 'private',
      NetworkMode: 'none',
      PidMode: '',
      Devices: null,
      Binds: null,
      PublishAllPorts: false,
      Dns: ['0.0.0.0'],
    });
    expect(host.Mounts ?? []).toEqual([]);
    expect(mounts).toEqual([]);
    expect(config.User).toBe('65532:65532');
    expect(config.Env).toContain('HOME=/tmp');
    expect(config.Healthcheck).toMatchObject({ Test: ['NONE'] });
  });

  it('over HTTP has an internal network of its own, which the host reaches and others do not', async () => {
    const { infra, create } = await startHost(engine());
    const [one, two] = [await create(httpFixture), await create(httpFixture)];
    const ready = await infra.instances.waitUntilReady(one.id, soon());
    await infra.instances.waitUntilReady(two.id, soon());
    const docker = rawEngine(engine().socketPath);
    const networks = await Promise.all(
      [one, two].map(async (created) => {
        const { NetworkMode: id = '' } = (await inspect(engine().socketPath, created)).HostConfig;
        return (await docker.getNetwork(id).inspect()) as {
          Internal: boolean;
          IPAM: { Config: { Subnet: string }[] };
        };
      }),
    );
    for (const { Internal: isInternal, IPAM: ipam } of networks) {
      expect(isInternal).toBe(true);
      expect(ipam.Config[0]?.Subnet).toMatch(/^10\.201\.\d+\.\d+\/28$/);
    }
    expect(networks[0]?.IPAM).not.toEqual(networks[1]?.IPAM);
    const { HostConfig: host } = await inspect(engine().socketPath, one);
    expect(host.Dns).toEqual(['0.0.0.0']);
    expect(ready.statusDetail.endpoint?.url).toMatch(/^http:\/\/10\.201\./);
  });
});

describe('a document that asks for less isolation', () => {
  it('gets what it names and nothing else', async () => {
    const { infra, create } = await startHost(engine());
    const created = await create({
      ...stdioFixture,
      isolation: { capabilities: ['NET_BIND_SERVICE'] },
      resources: { memory_limit: '256m', cpu_limit: '0.5', pids_limit: 64 },
      user: '1000:1000',
      tmpfs: [{ path: '/var/cache', size: '8m' }],
      network: { egress: 'open' },
    });
    await infra.instances.waitUntilReady(created.id, soon());
    const { HostConfig: host, Config: config } = await inspect(engine().socketPath, created);
    expect(host).toMatchObject({
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Memory: 256 * 1024 ** 2,
      NanoCpus: 5e8,
      PidsLimit: 64,
    });
    expect(Object.keys(host.Tmpfs ?? {})).toEqual(['/tmp', '/var/cache']);
    expect(host.Dns ?? []).toEqual([]);
    expect(config.User).toBe('1000:1000');
  });

  it('shares an internal network where it asks for one, which goes with the last of them', async () => {
    const { infra, create } = await startHost(engine());
    const spec = { ...httpFixture, network: { egress: 'internal' as const } };
    const [one, two] = [await create(spec), await create(spec)];
    await infra.instances.waitUntilReady(one.id, soon());
    await infra.instances.waitUntilReady(two.id, soon());
    const modes = await Promise.all(
      [one, two].map(async (created) => (await inspect(engine().socketPath, created)).HostConfig.NetworkMode),
    );
    expect(modes[0]).toBe(modes[1]);
    expect(
      await rawEngine(engine().socketPath)
        .getNetwork(modes[0] ?? '')
        .inspect(),
    ).toMatchObject({
      Internal: true,
    });
    await infra.instances.delete(one.id, { wait: true, ...soon() });
    expect(textOf(await infra.instances.callTool(two.id, 'echo', { text: 'still' }))).toContain('still');
  });

  it('is refused where the host does not allow it, every fault at once', async () => {
    const { infra } = await startHost(engine(), {
      docker: { maxMemory: '1g', maxCpus: 2, maxPids: 512, allowVolumes: ['/srv/docs'] },
    });
    const result = await infra.instances.validate({
      name: 'greedy',
      jsonSpec: {
        type: 'docker',
        image: 'mcp/test:latest',
        resources: { memory_limit: '2g', cpu_limit: '4', pids_limit: 1000 },
        volumes: [
          { source: '/srv/docs/a', target: '/a' },
          { source: '/srv/docs/../../etc', target: '/b' },
          { source: '/var/run/docker.sock', target: '/c' },
        ],
        isolation: { capabilities: ['SYS_ADMIN'] },
      },
    });
    expect(result).toMatchObject({ valid: false });
    const paths = (result as { issues: readonly { path: string }[] }).issues.map(({ path }) => path);
    for (const path of [
      'resources/memory_limit',
      'resources/cpu_limit',
      'resources/pids_limit',
      'volumes/1/source',
      'volumes/2/source',
      'isolation/capabilities/0',
    ])
      expect(paths).toContainEqual(expect.stringContaining(path));
    expect(paths).toHaveLength(6);
  });
});

describe('secrets delivered as files', () => {
  it('are readable by the server, absent from the container as it is inspected, and gone with it', async () => {
    const value = `canary-${Math.random().toString(36).slice(2)}`;
    const secretDir = `/dev/shm/mcpinfra-${randomUUID()}`;
    await mkdir(secretDir);
    onTestFinished(() => rm(secretDir, { recursive: true }));
    const { infra, create } = await startHost(engine(), {
      docker: { secretDir },
      secrets: [memorySecrets({ 'instance_123:API_KEY': value })],
    });
    const created = await create({
      ...stdioFixture,
      environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
      secret_delivery: 'file',
    });
    await infra.instances.waitUntilReady(created.id, soon());
    const where = textOf(await infra.instances.callTool(created.id, 'env', { name: 'API_KEY_FILE' }));
    expect(where).toContain('/run/secrets/API_KEY');
    expect(textOf(await infra.instances.callTool(created.id, 'env', { name: 'API_KEY' }))).toContain('unset');
    const container = await inspect(engine().socketPath, created);
    expect(print(container, { depth: null })).not.toContain(value);
    expect(container.Mounts).toMatchObject([{ Destination: '/run/secrets', RW: false }]);
    const exec = await rawEngine(engine().socketPath)
      .getContainer(container.Id)
      .exec({
        Cmd: ['/usr/bin/node', '-p', 'require("fs").readFileSync("/run/secrets/API_KEY","utf8")'],
        AttachStdout: true,
        AttachStderr: true,
      });
    const chunks: Buffer[] = [];
    for await (const chunk of await exec.start({})) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toContain(value);
    await infra.instances.delete(created.id, { wait: true, ...soon() });
    expect(await readdir(secretDir)).toEqual([]);
  });

  it('are refused where the host has no place for them, and a network with a list of destinations for now', async () => {
    const { infra, create } = await startHost(engine());
    const file = await create({ ...stdioFixture, secret_delivery: 'file' });
    await expect(infra.instances.waitUntilReady(file.id, soon())).rejects.toMatchObject({
      code: 'SECRET_FILE_UNSUPPORTED',
    });
    const listed = await create({ ...stdioFixture, network: { allow: ['api.github.com:443'] } });
    await expect(infra.instances.waitUntilReady(listed.id, soon())).rejects.toMatchObject({
      code: 'CAPABILITY_UNSUPPORTED',
    });
  });
});
