import type { CounterDrift } from '../../plugin.js';
import type { Layer } from './layer.js';

/** Counts the instances anew, in all and by tenant, and corrects the counters. */
export function recount(layer: Layer): CounterDrift[] {
  const counted = new Map([['instances', 0]]);
  for (const [name] of layer.counters.entries()) {
    if (name.startsWith('instances/')) counted.set(name, 0);
  }
  for (const instance of layer.instances.entries().values()) {
    for (const name of ['instances', `instances/${instance.tenant}`])
      counted.set(name, (counted.get(name) ?? 0) + 1);
  }
  const drifts: CounterDrift[] = [];
  for (const [name, is] of counted) {
    const was = layer.counters.get(name) ?? 0;
    if (was === is) continue;
    layer.counters.set(name, is);
    drifts.push({ name, was, is });
  }
  return drifts;
}
