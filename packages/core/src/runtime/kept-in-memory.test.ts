import { expect, it } from 'vitest';
import { memorySecrets } from '../adapters/memory-secrets.js';
import { fakeProvider } from '../testing/fake-provider.js';
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

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
