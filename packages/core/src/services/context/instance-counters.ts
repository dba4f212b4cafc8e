import type { CounterChange } from '../../ports/store.js';
import type { ServiceContext } from './service-context.js';

/** The counters that change with the number of instances. */
export function instanceCounters(
  context: ServiceContext,
  tenant: string,
  by: 1 | -1,
): readonly CounterChange[] {
  const { maxInstances, maxInstancesPerTenant } = context.settings.limits;
  const limit = (max: number | null) => (by === 1 && max !== null ? { max } : {});
  return [
    { name: 'instances', by, ...limit(maxInstances) },
    { name: `instances/${tenant}`, by, ...limit(maxInstancesPerTenant) },
  ];
}
