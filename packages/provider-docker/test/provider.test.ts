import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec, CopyRef, Provider, RunRequest } from '@mcpinfra/core/plugin';
import { recordingLogger } from '@mcpinfra/core/testing';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containersOf, engineWith, httpFixture, remains, stdioFixture } from './support.js';

const engine = engineWith('mcp/test:latest');

describe('the docker provider by itself', () => {
  it('makes a copy once, however often and by however many it is asked for', async () => {
    const fleet = `test-${randomUUID()}`;
    const [one, two] = [await opened(fleet), await opened(fleet)];
    const request = requestFor(httpFixture);
    const seen = await Promise.all([one, two, one, two].map((provider) => provider.ensureRunning(request)));
    expect(seen.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'running']);
    expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(await remains(engine().socketPath, fleet)).toHaveLength(2);
    expect(await two.list()).toMatchObject([{ copy: request.copy, state: 'running', storeId: 'store' }]);
    await Promise.all([one, two].map((provider) => provider.destroy(request.copy, { graceMs: 0 })));
    expect(await one.observe(request.copy)).toEqual({ state: 'absent' });
    await one.destroy(request.copy, { graceMs: 0 });
    expect(await remains(engine().socketPath, fleet)).toEqual([]);
  });

  it('leaves nothing of a start that was ended at any point but what its list shows', async () => {
    const fleet = `test-${randomUUID()}`;
    const provider = await opened(fleet);
    for (const afterMs of [0, 3, 10, 30, 80, 150, 250, 400]) {
      const request = requestFor(httpFixture);
      const ending = new AbortController();
      const starting = provider
        .ensureRunning(request, { signal: ending.signal })
        .catch((error: unknown) => error);
      await sleep(afterMs);
      ending.abort();
      await starting;
      // What was under way in the engine is done by now.
      await sleep(300);
      const listed = await provider.list();
      const names = await remains(engine().socketPath, fleet);
      if (names.length > 0) expect(listed.map(({ copy }) => copy)).toEqual([request.copy]);
      await provider.destroy(request.copy, { graceMs: 0 });
      expect(await remains(engine().socketPath, fleet)).toEqual([]);
    }
  });

  it('lends the streams of a server to one owner after another, and lets it live', async () => {
    const provider = await opened(`test-${randomUUID()}`);
    const request = requestFor(stdioFixture);
    await provider.ensureRunning(request);
    const ask = async (id: number): Promise<{ closed: boolean; answer: string }> => {
      const dialed = await provider.dial(request);
      if (dialed.kind !== 'stdio') return expect.fail('not over stdio');
      const { channel } = dialed;
      channel.input.write(`\n{"jsonrpc":"2.0","id":${String(id)},"method":"ping"}\n`);
      for await (const chunk of channel.output) {
        if (id < 3) channel.close();
        return { closed: channel.input.destroyed, answer: String(chunk) };
      }
      return expect.fail('the output ended');
    };
    for (const id of [1, 2]) expect((await ask(id)).answer).toContain(`"id":${String(id)}`);
    const held = await provider.dial(request);
    const taken = await provider.dial(request);
    if (held.kind !== 'stdio' || taken.kind !== 'stdio') return expect.fail('not over stdio');
    expect([held.channel.input.destroyed, taken.channel.input.destroyed]).toEqual([true, false]);
    expect(await provider.observe(request.copy)).toMatchObject({ state: 'running' });
    await provider.ensureStopped(request.copy, { graceMs: 5_000 });
    expect(await provider.observe(request.copy)).toMatchObject({ state: 'exited', exit: { exitCode: 0 } });
    await expect(provider.dial(request)).rejects.toMatchObject({ code: 'INSTANCE_NOT_READY' });
    await provider.destroy(request.copy, { graceMs: 0 });
    return undefined;
  });

  it('tells of a full address pool what to change', async () => {
    const fleet = `test-${randomUUID()}`;
    const provider = await opened(fleet, { networkPool: '10.203.0.0/24' });
    const { default: Docker } = await import('dockerode');
    const docker = new Docker({ socketPath: engine().socketPath });
    const blocking = await docker.createNetwork({
      Name: `blocking-${fleet}`,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.203.0.0/24' }] },
    });
    onTestFinished(async () => {
      await blocking.remove();
    });
    await expect(provider.ensureRunning(requestFor(httpFixture))).rejects.toMatchObject({
      code: 'NETWORK_POOL_EXHAUSTED',
      message: expect.stringContaining('networkPool') as string,
    });
    expect(await containersOf(engine().socketPath, fleet)).toEqual([]);
  });
});

async function opened(fleet: string, options: object = {}): Promise<Provider<ContainerSpec>> {
  const provider = dockerProvider({ socketPath: engine().socketPath, ...options });
  await provider.open({ fleet, storeId: 'store', logger: recordingLogger() });
  onTestFinished(() => provider.close());
  return provider;
}

function requestFor(spec: Omit<ContainerSpec, 'type'>): RunRequest<ContainerSpec> {
  const copy: CopyRef = { instanceId: randomUUID(), revision: 1, slug: `t-${randomUUID().slice(0, 8)}` };
  return {
    copy,
    spec: { type: 'docker', ...spec },
    instanceName: 't',
    labels: {},
    environment: () => Promise.resolve({ MCP_INSTANCE_ID: copy.instanceId }),
    secrets: () => expect.fail('no secrets are needed'),
    onProgress: () => undefined,
  };
}
