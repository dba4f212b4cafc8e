import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { remote as elsewhere } from './fake-kinds.fixture.js';

const health_check = { interval: 10, timeout: 60, retries: 1 } as const;
const remote = { type: 'remote', endpoint: 'https://one.example/mcp', health_check } as const;
const docker = { type: 'docker', image: 'mcp/test', health_check: { ...health_check, timeout: 5 } } as const;

it('are shared by the tenants, and apart for each placement', async () => {
  const clock = manualClock();
  const url = fakeProvider({ ...elsewhere, clock });
  await using t = await createTestInfra({
    clock,
    providers: [url, fakeProvider({ clock })],
    concurrency: { probes: 1 },
  });
  const greedy = t.infra.scope({ tenant: 'greedy' });
  for (let n = 0; n < 30; n++) await greedy.instances.create({ name: `hung-${n}`, jsonSpec: remote });
  const modest = t.infra.scope({ tenant: 'modest' });
  const far = await modest.instances.create({ name: 'far', jsonSpec: remote });
  const near = await modest.instances.create({ name: 'near', jsonSpec: docker });
  await t.settle();
  for (let n = 0; n < 30; n++) url.hang(`hung-${n}`);
  // One of them is asked, and the others stand in line.
  await t.advance(11_000);
  t.hang('far');
  t.hang('near');
  await t.advance(16_000);
  const unhealthy = () =>
    t
      .recordedEvents('MCPServerInstanceStatusChanged')
      .filter(({ data }) => data.to === 'unhealthy')
      .map(({ data }) => data.instanceId);
  expect(unhealthy()).toEqual([near.id]);
  // A minute each: of the one that is asked now, of one more of the other tenant, and its own.
  await t.advance(170_000);
  expect(unhealthy()).toContain(far.id);
}, 60_000);
