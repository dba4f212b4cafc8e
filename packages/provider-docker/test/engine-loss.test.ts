import { seedImages, startPrivateDockerEngine, type PrivateDockerEngine } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { recordingLogger } from '@mcpinfra/core/testing';
import { describe, expect, it } from 'vitest';
import { containersOf, httpFixture, soon, startHost, stdioFixture, textOf, until } from './support.js';

const long = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) });

describe.each([
  ['ends its containers when it comes back', false],
  ['keeps its containers alive', true],
])('an engine that is killed and %s', (_what, liveRestore) => {
  const engine = serviceOrSkip<PrivateDockerEngine>(async () => {
    const started = await startPrivateDockerEngine({ liveRestore });
    await seedImages(started, ['mcp/test:latest']);
    return started;
  });

  it('has everything running again, nothing twice, and no crash counted', async () => {
    const { infra, fleet, create, events } = await startHost(engine(), { resyncEveryMs: 3_600_000 });
    const created = [await create(stdioFixture), await create(httpFixture)];
    for (const { id } of created) await infra.instances.waitUntilReady(id, soon());
    const { socketPath } = engine();
    const before = await containersOf(socketPath, fleet);
    await engine().kill();
    await until(async () => (await infra.doctor()).some((line) => line.name === 'engine' && !line.ok));
    const away = (await infra.doctor()).find((line) => line.name === 'engine');
    expect(away?.message).toContain(socketPath);

    await engine().restart();
    for (const { id } of created) {
      await infra.instances.waitFor(
        id,
        ({ status, statusDetail }) =>
          status === 'running' && (liveRestore || statusDetail.lastExit?.code === 'ENGINE_RESTARTED'),
        long(),
      );
      expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'back' }, long()))).toContain('back');
    }
    const after = await containersOf(socketPath, fleet);
    expect(after.map(({ Id: id }) => id).sort()).toEqual(before.map(({ Id: id }) => id).sort());
    expect(after.map(({ State: state }) => state)).toEqual(['running', 'running']);
    for (const { id } of created)
      expect((await infra.instances.get(id)).statusDetail).toMatchObject({ restartCount: 0, reason: '' });
    expect(events.some((event) => event.type === 'MCPServerInstanceRemoved')).toBe(false);
  }, 120_000);
});

describe('an engine that is restarted', () => {
  const engine = serviceOrSkip<PrivateDockerEngine>(async () => {
    const started = await startPrivateDockerEngine();
    await seedImages(started, ['mcp/test:latest']);
    return started;
  });

  it('has everything running again, nothing twice', async () => {
    const { infra, fleet, create } = await startHost(engine(), { resyncEveryMs: 3_600_000 });
    const created = [await create(stdioFixture), await create(httpFixture)];
    for (const { id } of created) await infra.instances.waitUntilReady(id, soon());
    await engine().restart();
    for (const { id } of created) {
      await infra.instances.waitFor(
        id,
        ({ status, statusDetail }) => status === 'running' && statusDetail.lastExit !== null,
        long(),
      );
      expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'back' }, long()))).toContain('back');
    }
    const states = (await containersOf(engine().socketPath, fleet)).map(({ State: state }) => state);
    expect(states).toEqual(['running', 'running']);
  }, 120_000);
});

describe('an engine that is away', () => {
  it('keeps no host from starting, and every call says where nobody answers', async () => {
    const provider = dockerProvider({ socketPath: '/nowhere/docker.sock' });
    await provider.open({ fleet: 'test', storeId: 'store', logger: recordingLogger() });
    const copy = { instanceId: 'i', revision: 1, slug: 'i-00000000' };
    for (const call of [
      () => provider.placement(),
      () => provider.observe(copy),
      () => provider.list(),
      () => provider.ensureStopped(copy, { graceMs: 0 }),
      () => provider.destroy(copy, { graceMs: 0 }),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'PLACEMENT_UNREACHABLE',
        retryable: true,
        message: expect.stringContaining('unix:///nowhere/docker.sock') as string,
      });
    }
    expect(await provider.doctor?.()).toMatchObject([{ name: 'engine', ok: false }]);
    await provider.close();
    await expect(provider.list()).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
  });

  it.each([
    [{ socket: '/x' }, /no option "socket"; did you mean/],
    [{ socketPath: '/x', host: 'y' }, /one address/],
    [{ networkPool: '10.0.0.0/30' }, /networkPool/],
    [{ maxMemory: 'lots' }, /maxMemory/],
    [{ defaultMemory: '2g', maxMemory: '1g' }, /at most maxMemory/],
    [{ secretDir: 'relative' }, /secretDir/],
    [{ port: 1 }, /together with host/],
  ])('is refused the options %j', (options, message) => {
    expect(() => dockerProvider(options as never)).toThrow(message);
  });

  it('needs a directory for secrets that is in memory', async () => {
    const provider = dockerProvider({ socketPath: '/nowhere/docker.sock', secretDir: process.cwd() });
    const opening = provider.open({ fleet: 'test', storeId: 'store', logger: recordingLogger() });
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await provider.close();
  });
});
