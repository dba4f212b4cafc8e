import { expect, it } from 'vitest';
import { exampleInstance, exampleRuntime } from '../../../test/support/rows.js';
import { FairSlots } from '../../async/fair-slots.js';
import { TimerHeap } from '../../async/timer-heap.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { manualClock } from '../../testing/manual-clock.js';
import type { ServiceContext } from '../context/service-context.js';
import { LinkRegistry } from '../ownership/link-registry.js';
import { SecretSource } from '../secrets/secret-source.js';
import { HealthMonitor } from './health-monitor.js';

it('probes nothing that a late pass tells of after it was stopped', () => {
  const clock = manualClock();
  const context = { clock, random: () => 0.5 } as unknown as ServiceContext;
  const secrets = new SecretSource(context);
  const monitor = new HealthMonitor(context, {
    links: new LinkRegistry(context, secrets, { toolsChanged: () => undefined, owns: () => true }),
    secrets,
    slots: new FairSlots(1, clock),
    timers: (due) => new TimerHeap<string>(clock, due),
    silent: () => undefined,
  });
  const spec = { type: 'docker', image: 'mcp/test' } as JsonSpec;
  const active = { revision: 1, runHash: 'h', spec };
  const record = exampleInstance({
    status: 'running',
    runtime: exampleRuntime({ active, placement: 'here' }),
  });
  monitor.stop();
  monitor.track(record, 1);
  expect(monitor.size).toBe(0);
  expect(clock.pending).toBe(0);
});
