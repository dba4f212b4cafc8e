import { manualClock, recordingLogger } from '@mcpinfra/core/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { fakeEngine } from '../test/fake-engine.js';
import { dockerProvider } from './docker-provider.js';
import { Engine } from './engine.js';

async function started() {
  const engine = await fakeEngine();
  const clock = manualClock();
  const client = new Engine({ kind: 'socket', socketPath: engine.socketPath }, clock);
  onTestFinished(async () => {
    client.close();
    await engine.close();
  });
  return { engine, clock, client };
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });

it('gives up a request that is never answered, and its connection with it', async () => {
  const { engine, clock, client } = await started();
  engine.hangs = true;
  const asking = client.ask('Listing containers', {}, (docker, abortSignal) =>
    docker.listContainers({ abortSignal }),
  );
  asking.catch(() => undefined);
  await eventually(() => expect(engine.sockets).toBe(1));
  await clock.advance(29_999);
  await clock.advance(1);
  await expect(asking).rejects.toMatchObject({
    code: 'PLACEMENT_UNREACHABLE',
    retryable: true,
    message: expect.stringContaining('did not answer within 30000 ms') as string,
  });
  await eventually(() => expect(engine.sockets).toBe(0));
  expect(clock.pending).toBe(0);
});

it('gives up at once what its caller gives up, and its connection with it', async () => {
  const { engine, client } = await started();
  engine.hangs = true;
  const giving = new AbortController();
  const asking = client.ask('Listing containers', giving, (docker, abortSignal) =>
    docker.listContainers({ abortSignal }),
  );
  asking.catch(() => undefined);
  await eventually(() => expect(engine.sockets).toBe(1));
  giving.abort();
  await expect(asking).rejects.toMatchObject({ code: 'ABORTED' });
  await eventually(() => expect(engine.sockets).toBe(0));
});

it.each(['placement', 'list', 'doctor', 'observe', 'destroy'] as const)(
  'leaves no request of %s() to an engine that hangs once it is given up, and no connection once it is closed',
  async (method) => {
    const engine = await fakeEngine();
    onTestFinished(() => engine.close());
    const provider = dockerProvider({ socketPath: engine.socketPath });
    await provider.open({ fleet: 'f', storeId: 's', logger: recordingLogger() });
    // What is left of killed hosts is looked for at first.
    await eventually(() =>
      expect(engine.asked).toEqual(expect.arrayContaining(['GET /containers/json', 'GET /networks'])),
    );
    engine.hangs = true;
    const copy = { instanceId: 'i', revision: 1, slug: 'i-00000000' };
    const giving = new AbortController();
    const calls = {
      placement: () => provider.placement(giving),
      list: () => provider.list(giving),
      doctor: () => provider.doctor?.(giving),
      observe: () => provider.observe(copy, giving),
      destroy: () => provider.destroy(copy, { graceMs: 0 }, giving),
    };
    const call = Promise.resolve(calls[method]()).catch((error: unknown) => error);
    await eventually(() => expect(engine.unanswered).toBeGreaterThan(0));
    giving.abort();
    await call;
    await eventually(() => expect(engine.unanswered).toBe(0));
    await provider.close();
    await eventually(() => expect(engine.sockets).toBe(0));
  },
);
