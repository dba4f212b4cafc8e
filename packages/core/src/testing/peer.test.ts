import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMCPInfra, type MCPInfra, memorySecrets, memoryStore } from '../index.js';
import type { ContainerSpec, LogLine, MCPInfraError, Store } from '../plugin.js';
import type { FakeProvider } from './fake-controls.js';
import { fakeProvider } from './fake-provider.js';
import { recordingLogger } from './recording-logger.js';
import type { TestTools } from './tools.js';

const key = 'the key of this fleet, known to every process';
const listen = { host: '127.0.0.1', port: 0 };
const docker = { type: 'docker', image: 'mcp/test' } as const;
type Infra = MCPInfra<ContainerSpec>;

const started = new Set<Infra>();
afterEach(async () => {
  await Promise.all([...started].map((infra) => infra.stop()));
  started.clear();
});

/** A store that several infras open and close, as processes do one that they share. */
function sharedStore(): Store {
  const store = memoryStore();
  let identity: ReturnType<Store['open']> | undefined;
  return new Proxy(store, {
    get(target, name) {
      if (name === 'open') return () => (identity ??= target.open());
      if (name === 'close') return async () => undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

interface Process {
  readonly store: Store;
  readonly provider?: FakeProvider<ContainerSpec>;
  readonly role?: 'control' | 'worker';
  readonly peer?: { readonly key: string; readonly listen?: typeof listen } | undefined;
  readonly drainMs?: number | undefined;
}

/** One process of a fleet. */
async function start({ store, provider = fakeProvider(), role = 'worker', ...passed }: Process) {
  const logger = recordingLogger();
  const infra = createMCPInfra({
    providers: [provider],
    secrets: [memorySecrets({ 'shared:TOKEN': 'hunter22-hunter22' })],
    store,
    roles: role === 'worker' ? ['control', 'worker'] : ['control'],
    ...passed,
    logger,
  });
  started.add(infra);
  await infra.start();
  return { infra, logger };
}

/** A worker that listens, a control process that asks, and an instance that runs. */
async function fleet(
  tools: TestTools = { echo: (args) => args },
  { jsonSpec, drainMs }: { readonly jsonSpec?: object; readonly drainMs?: number } = {},
) {
  const store = sharedStore();
  const provider = fakeProvider({ tools });
  const { infra: worker } = await start({ store, provider, peer: { key, listen }, drainMs });
  const { infra: control } = await start({ store, role: 'control', peer: { key } });
  const { id } = await control.instances.create({ name: 'one', jsonSpec: { ...docker, ...jsonSpec } });
  await control.instances.waitUntilReady(id);
  return { store, provider, worker, control, id };
}

const failure = (work: Promise<unknown>): Promise<MCPInfraError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as MCPInfraError,
  );

async function textsOf(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of lines) texts.push(text);
  return texts;
}

const until = (met: () => void | Promise<void>) => vi.waitFor(met, { timeout: 20_000, interval: 20 });

describe('a process that owns nothing', { timeout: 30_000 }, () => {
  it('calls tools, opens clients and reads logs of what a worker owns', async () => {
    const { control, worker, id } = await fleet({
      echo: (args, { log }) => {
        log(`echo ${String(args['n'])}`);
        return args;
      },
    });
    expect((await control.instances.callTool(id, 'echo', { n: 1 })).structuredContent).toEqual({ n: 1 });
    const client = await control.instances.connect(id);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
    expect(await client.callTool({ name: 'echo', arguments: { n: 2 } })).toMatchObject({
      structuredContent: { n: 2 },
    });
    await client.close();
    expect((await worker.instances.callTool(id, 'echo', { n: 3 })).structuredContent).toEqual({ n: 3 });
    const lines = await textsOf(control.instances.logs(id, { tail: 2 }));
    expect(lines).toEqual(['echo 2', 'echo 3']);
    expect(lines).toEqual(await textsOf(worker.instances.logs(id, { tail: 2 })));
  });

  it('follows logs until it has enough', async () => {
    const { control, id } = await fleet({
      say: ({ text }, { log }) => {
        log(String(text));
        return 'said';
      },
    });
    const enough = new AbortController();
    const read: string[] = [];
    const followed = (async () => {
      const lines = control.instances.logs(id, { follow: true }, { signal: enough.signal });
      for await (const { text } of lines) read.push(text);
    })();
    for (const text of ['a', 'b']) await control.instances.callTool(id, 'say', { text });
    await until(() => expect(read.slice(-2)).toEqual(['a', 'b']));
    enough.abort();
    await followed;
  });

  it('reads no secret in the logs that an instance writes', async () => {
    const { control, id } = await fleet(
      {
        tell: (_args, { environment, log }) => {
          log(`the token is ${String(environment['TOKEN'])}.`);
          return 'told';
        },
      },
      { jsonSpec: { environment: { TOKEN: 'secret_ref:shared:TOKEN' } } },
    );
    await control.instances.callTool(id, 'tell');
    expect(await textsOf(control.instances.logs(id, { tail: 1 }))).toEqual(['the token is [secret].']);
  });

  it('is told what to set where it has no key', async () => {
    const { store, id } = await fleet();
    const { infra: stranger } = await start({ store, role: 'control' });
    for (const work of [
      stranger.instances.callTool(id, 'echo'),
      stranger.instances.connect(id),
      textsOf(stranger.instances.logs(id)),
    ]) {
      const error = await failure(work);
      expect(error.code).toBe('NOT_OWNER');
      expect(error.message).toContain('peer: { key }');
      expect(error.message).toContain('peer.listen');
    }
  });

  it('is told so where the owner does not listen', async () => {
    const store = sharedStore();
    await start({ store, peer: { key } });
    const { infra: control } = await start({ store, role: 'control', peer: { key } });
    const { id } = await control.instances.create({ name: 'one', jsonSpec: docker });
    await control.instances.waitUntilReady(id);
    const error = await failure(control.instances.callTool(id, 'echo'));
    expect(error).toMatchObject({ code: 'NOT_OWNER', retryable: false });
    expect(error.message).toContain('does not listen: give it peer.listen');
  });

  it('is told so where its key is another', async () => {
    const { store, id } = await fleet();
    const other = 'another key than that of the fleet, as long';
    const { infra, logger } = await start({ store, role: 'control', peer: { key: other } });
    const error = await failure(infra.instances.callTool(id, 'echo'));
    expect(error.code).toBe('PEER_UNAUTHORIZED');
    expect(JSON.stringify([error, error.message, logger.lines])).not.toContain(other);
  });

  it('wakes what sleeps, and keeps it awake while it uses it', async () => {
    const { store, control, id } = await fleet(
      { echo: (args) => args },
      { jsonSpec: { lifecycle: { start: 'on-demand', idle_timeout: 1 } } },
    );
    await until(async () => expect((await control.instances.get(id)).status).toBe('idle'));
    const client = await control.instances.connect(id);
    const wantedUntil = async () => Date.parse((await store.instances.get(id))?.runtime.wantedUntil ?? '');
    const first = await wantedUntil();
    await until(async () => expect(await wantedUntil()).toBeGreaterThan(first + 1_500));
    expect((await control.instances.get(id)).status).toBe('running');
    await client.callTool({ name: 'echo', arguments: {} });
    await client.close();
    await until(async () => expect((await control.instances.get(id)).status).toBe('idle'));
  });

  it('does not repeat a call whose owner stopped during it, and finds the next owner for the next call', async () => {
    let calls = 0;
    const { store, provider, worker, control, id } = await fleet(
      { once: () => ((calls += 1) === 1 ? new Promise(() => undefined) : 'again') },
      { drainMs: 50 },
    );
    const call = failure(control.instances.callTool(id, 'once'));
    await until(() => expect(calls).toBe(1));
    const stopped = worker.stop();
    expect((await call).code).toBe('OUTCOME_UNKNOWN');
    // Asked while nobody owns it, or somebody new: it is found all the same.
    const next = control.instances.callTool(id, 'once');
    await stopped;
    await start({ store, provider, peer: { key, listen } });
    expect((await next).content).toEqual([{ type: 'text', text: 'again' }]);
    expect(calls).toBe(2);
  });

  it('goes with what moves to another worker, and only that one has its streams open', async () => {
    const { store, provider, control, worker } = await fleet();
    const ids = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const { id } = await control.instances.create({ name: `n-${n}`, jsonSpec: docker });
        await control.instances.waitUntilReady(id);
        await worker.instances.callTool(id, 'echo');
        await control.instances.callTool(id, 'echo');
        return id;
      }),
    );
    await start({ store, provider, peer: { key, listen } });
    const owners = async () => {
      const shards = (await store.leases.list()).filter(({ name }) => /\/\d+$/u.test(name));
      return new Set(shards.map(({ holderId }) => holderId));
    };
    await until(async () => expect((await owners()).size).toBe(2));
    for (const id of ids) {
      const { structuredContent } = await control.instances.callTool(id, 'echo', { id });
      expect(structuredContent).toEqual({ id });
    }
    expect(provider.holdings().filter(({ what, usual }) => what.startsWith('a channel') && !usual)).toEqual(
      [],
    );
  });

  it('lets a worker that stops end its calls first', async () => {
    let answer: (value: string) => void = () => undefined;
    let began = false;
    const { worker, control, id } = await fleet({
      slow: () =>
        new Promise((resolve) => {
          began = true;
          answer = resolve;
        }),
    });
    const call = control.instances.callTool(id, 'slow');
    await until(() => expect(began).toBe(true));
    const stopped = worker.stop();
    await setImmediate();
    answer('done');
    expect((await call).content).toEqual([{ type: 'text', text: 'done' }]);
    await stopped;
  });
});

it('refuses to start where its port is taken, and leaves nothing behind', async () => {
  const store = sharedStore();
  const { infra } = await start({ store, peer: { key, listen } });
  const [lease] = await store.leases.list();
  const port = Number(lease?.address?.split(':')[1]);
  expect(lease?.address).toBe(`127.0.0.1:${port}`);
  const second = createMCPInfra({
    providers: [fakeProvider()],
    store,
    peer: { key, listen: { host: '127.0.0.1', port } },
  });
  expect(await failure(second.start())).toMatchObject({ code: 'INVALID_OPTIONS' });
  expect((await infra.health()).status).toBe('ok');
});
