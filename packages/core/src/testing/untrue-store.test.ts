import { expect, it, onTestFinished } from 'vitest';
import { createMCPInfra, memoryStore } from '../index.js';
import type { Event, Store } from '../plugin.js';
import { fakeProvider } from './fake-provider.js';
import { altered } from './altered.fixture.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** A fleet whose store is a memory store with some methods of a table replaced. */
async function fleetOn(alter: (store: Store) => Store) {
  const infra = createMCPInfra({ providers: [fakeProvider()], store: alter(memoryStore()) });
  onTestFinished(async () => {
    await infra.stop({ timeoutMs: 2_000 });
  });
  await infra.start();
  return infra;
}

it('lives on a store that numbers the same events again and again, and says what is wrong with it', async () => {
  let last: readonly Event[] = [];
  const infra = await fleetOn((store) => {
    const number = async (limit: number) => {
      const numbered = await store.events.number(limit);
      return numbered.length === 0 ? last : (last = numbered);
    };
    return altered(store, { events: altered(store.events, { number }) });
  });
  await infra.instances.create({ name: 'one', jsonSpec: docker }, { wait: true });
  await expect
    .poll(async () => JSON.stringify((await infra.health()).degraded), { timeout: 5_000 })
    .toContain('Expected events.number() of the store to give events after position');
});

it('lives on a store whose pages never end', async () => {
  const infra = await fleetOn((store) => {
    const list: Store['instances']['list'] = async (query, options) => ({
      ...(await store.instances.list({ ...query, cursor: undefined }, options)),
      nextCursor: 'again',
    });
    return altered(store, { instances: altered(store.instances, { list }) });
  });
  await infra.instances.create({ name: 'one', jsonSpec: docker });
  const all = async () => {
    for await (const _ of infra.instances.all());
  };
  await expect(all()).rejects.toMatchObject({ code: 'PLUGIN_CONTRACT' });
});

it('refuses what it would do on a store that answers nothing, with an error of its own', async () => {
  const infra = await fleetOn((store) => altered(store, { createInstance: async () => undefined as never }));
  await expect(infra.instances.create({ name: 'one', jsonSpec: docker })).rejects.toMatchObject({
    code: 'PLUGIN_CONTRACT',
    message: 'Expected createInstance() of the store to give the whole row of an instance, got nothing.',
  });
});
