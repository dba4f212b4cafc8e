import { describe, expect, it, onTestFinished } from 'vitest';
import { memorySecrets } from '../adapters/memory-secrets.js';
import { memoryStore } from '../adapters/memory-store.js';
import { Once } from '../async/once.js';
import type { Store } from '../ports/store.js';
import { altered } from '../testing/altered.fixture.js';
import { fakeProvider } from '../testing/fake-provider.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { resolveOptions } from './options.js';
import { FleetScope } from './scope.js';
import { Wiring } from './wiring.js';

const lives = 2_000;
const atOnce = 250;

it('keeps nothing of the instances that are gone, however many there were', async () => {
  const provider = fakeProvider();
  const secrets = [memorySecrets({ 'vault:API_KEY': 'canary-value' })];
  const wiring = new Wiring(resolveOptions({ providers: [provider], secrets }));
  await wiring.start();
  const { instances } = new FleetScope(wiring.scopeParts, null);
  const jsonSpec = {
    type: 'docker',
    image: 'mcp/test',
    environment: { API_KEY: 'secret_ref:vault:API_KEY' },
    health_check: { type: 'none' },
  } as const;
  for (let done = 0; done < lives; done += atOnce) {
    const names = Array.from({ length: atOnce }, (_, n) => `i-${String(done + n)}`);
    const made = await Promise.all(names.map((name) => instances.create({ name, jsonSpec })));
    // One look for all: a wait for each would hear of every event of all others.
    while ((await instances.count({ status: 'running' })) < atOnce) await turn();
    if (done === 0) {
      expect(wiring.kept).toMatchObject({ secrets: atOnce, links: atOnce, probes: atOnce });
      // Some end in other ways than by their own wish.
      provider.failNextStart('IMAGE_NOT_FOUND');
      const rolledBack = instances.update(
        made[30]?.id ?? '',
        { jsonSpec: { image: 'mcp/other' } },
        { wait: true },
      );
      await expect(rolledBack).rejects.toMatchObject({ code: 'UPDATE_ROLLED_BACK' });
      for (const name of names.slice(0, 20)) provider.crash(name);
    }
    await Promise.all(made.map(({ id }) => instances.delete(id)));
    while ((await instances.count()) > 0) await turn();
  }
  expect(provider.copies()).toEqual([]);
  await expect
    .poll(() => wiring.kept, { timeout: 5_000 })
    .toEqual({ worker: 0, secrets: 0, links: 0, probes: 0 });
  await wiring.stop(30_000);
}, 180_000);

describe('a process that does not own what it calls', () => {
  const jsonSpec = {
    type: 'docker',
    image: 'mcp/test',
    transport: 'http',
    port: 3000,
    environment: { API_KEY: 'secret_ref:vault:API_KEY' },
    health_check: { type: 'none' },
    lifecycle: { drain_timeout: 1, stop_grace: 1 },
  } as const;

  /** A worker and a process that only controls, with one store and one engine. */
  async function twoProcesses() {
    const store = memoryStore();
    const engine = fakeProvider({ tools: { echo: (args) => args } });
    const identity = new Once(() => store.open());
    const shared = altered<Store>(store, { open: () => identity.get(), close: async () => undefined });
    const opened = new Once(async () => {
      const { fleet, storeId } = await identity.get();
      await engine.open({ fleet, storeId, logger: recordingLogger(), report: () => undefined });
    });
    const provider = altered(engine, { open: () => opened.get(), close: async () => undefined });
    const secrets = [memorySecrets({ 'vault:API_KEY': 'canary-value' })];
    const processOf = async (role: 'worker' | 'control') => {
      const wiring = new Wiring(
        resolveOptions({ providers: [provider], secrets, store: shared, roles: [role] }),
      );
      await wiring.start();
      onTestFinished(async () => {
        await wiring.stop(10_000);
      });
      return { wiring, instances: new FleetScope(wiring.scopeParts, null).instances };
    };
    await processOf('worker');
    return { engine, caller: await processOf('control') };
  }

  it('keeps one link to each instance through its updates, and nothing once it is gone', async () => {
    const { engine, caller } = await twoProcesses();
    const { instances, wiring } = caller;
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const { id } = await instances.create({ name: `i-${String(n)}`, jsonSpec });
      await instances.waitUntilReady(id);
      await instances.callTool(id, 'echo', {});
      ids.push(id);
    }
    expect(wiring.kept).toMatchObject({ links: 5, worker: 0 });
    for (const id of ids) {
      await instances.update(id, { jsonSpec: { image: 'mcp/other' } }, { wait: true });
      await instances.callTool(id, 'echo', {});
    }
    await expect.poll(() => wiring.kept.links, { timeout: 5_000 }).toBe(5);
    // What fails is searched for the values it was given, which are asked for then.
    for (const [n, id] of ids.entries()) {
      engine.hang(`i-${String(n)}`);
      const late = instances.callTool(id, 'echo', {}, { timeoutMs: 50 });
      await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    }
    expect(wiring.kept).toMatchObject({ secrets: 5, links: 5 });
    for (const [n] of ids.entries()) engine.unhang(`i-${String(n)}`);
    for (const id of ids) await instances.delete(id, { wait: true });
    await expect
      .poll(() => wiring.kept, { timeout: 5_000 })
      .toEqual({ worker: 0, secrets: 0, links: 0, probes: 0 });
  }, 20_000);

  it('keeps nothing of an instance whose end it was told during a call', async () => {
    const { engine, caller } = await twoProcesses();
    const { instances, wiring } = caller;
    const { id } = await instances.create({ name: 'one', jsonSpec });
    await instances.waitUntilReady(id);
    await instances.callTool(id, 'echo', {});
    engine.hang('one');
    const cut = instances.callTool(id, 'echo', {});
    const told = expect(cut).rejects.toMatchObject({ code: expect.any(String) as string });
    await turn();
    await instances.delete(id, { wait: true });
    await told;
    await expect
      .poll(() => wiring.kept, { timeout: 5_000 })
      .toEqual({ worker: 0, secrets: 0, links: 0, probes: 0 });
  }, 20_000);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
