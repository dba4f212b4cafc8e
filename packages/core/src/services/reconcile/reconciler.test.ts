import { expect, it } from 'vitest';
import { exampleInstance, exampleRuntime } from '../../../test/support/rows.js';
import type { ReconcileContext } from '../../async/keyed-work.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { manualClock } from '../../testing/manual-clock.js';
import type { ReconcileServices } from './reconcile-services.js';
import { Reconciler } from './reconciler.js';

const spec = { type: 'docker', image: 'mcp/test' } as JsonSpec;

it.each([
  ['lost', null],
  ['lost and taken again', 2],
])(
  'looks again, and does nothing, where its lease was %s while it waited for its place',
  async (_, after) => {
    const record = exampleInstance({
      jsonSpec: spec,
      status: 'running',
      runtime: exampleRuntime({ active: { revision: 1, runHash: 'h', spec }, placement: 'here' }),
    });
    const lease: { fence: number | null } = { fence: 1 };
    const asked: string[] = [];
    const provider = {
      observe: async () => {
        asked.push('observe');
        return { state: 'absent' };
      },
    };
    const services = {
      context: {
        clock: manualClock(),
        providers: new Map([['docker', provider]]),
        store: { instances: { get: async () => record } },
      },
      ownership: { fence: () => lease.fence, placement: () => 'here', concerns: () => true },
      secrets: { scrubError: (__: string, error: unknown) => error },
    } as unknown as ReconcileServices;
    const pass: ReconcileContext = {
      signal: new AbortController().signal,
      waiting: (work) => work(new AbortController().signal),
      enter: async () => {
        lease.fence = after;
      },
      leave: () => undefined,
    };
    expect(await new Reconciler(services).reconcile(record.id, pass)).toEqual({ requeueAfterMs: 0 });
    expect(asked).toEqual([]);
  },
);
