import type { InstanceRecord } from '../plugin.js';
import type { FakeCopyState, FakeProvider } from './fake-controls.js';

/** What is looked through for leftovers. */
export interface LeakSearch {
  readonly fakes: readonly FakeProvider[];
  readonly rows: readonly InstanceRecord[];
  /** How many callbacks are still scheduled. */
  readonly timers: number;
  /** Whether the infra has stopped, so that it should hold nothing any more. */
  readonly stopped: boolean;
}

/** Says in a sentence each what is left over. */
export function findLeaks({ fakes, rows, timers, stopped }: LeakSearch): readonly string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const leaks = fakes.flatMap((fake) => [
    ...fake.copies().flatMap((copy) => {
      const why = whyLeft(copy, byId.get(copy.copy.instanceId));
      return why === null
        ? []
        : [`The copy mcp-${copy.copy.slug}-r${copy.copy.revision} (${copy.state}) ${why}.`];
    }),
    ...fake.holdings().flatMap(({ what, usual }) => (stopped || !usual ? [`Nobody let go of ${what}.`] : [])),
  ]);
  if (stopped && timers > 0) leaks.push(`${timers} timer(s) are still scheduled after the stop.`);
  return leaks;
}

function whyLeft(
  { copy, state, instanceName }: FakeCopyState,
  row: InstanceRecord | undefined,
): string | null {
  if (!row) return `is there although its instance "${instanceName}" is not`;
  const { active, candidate } = row.runtime;
  if (active?.revision !== copy.revision && candidate?.revision !== copy.revision) {
    return `is of a revision that its instance "${instanceName}" no longer has`;
  }
  const rests = row.status === 'stopped' || row.status === 'idle';
  return rests && state === 'running'
    ? `runs although its instance "${instanceName}" is ${row.status}`
    : null;
}
