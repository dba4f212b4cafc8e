import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory-store.js';
import type { EventDraft } from '../../domain/events/event.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { exampleInstance } from '../../../test/support/rows.js';
import { writeChange } from './instance-writer.js';
import type { ServiceContext } from './service-context.js';

type Told = EventMap['MCPServerInstanceStatusChanged'];

const text = fc.constantFrom('', 'late', 'refused 7 times', 'refused 9 times');
const code = fc.constantFrom(
  'REQUEST_TIMEOUT' as const,
  'HTTP_STATUS' as const,
  'PLACEMENT_UNREACHABLE' as const,
);
const exit = {
  at: '2026-01-01T00:00:00.000Z',
  exitCode: 1,
  signal: null,
  oomKilled: false,
  lastLogLines: [],
};
const plain = [
  'run-wanted',
  'pull-began',
  'start-began',
  'probe-recovered',
  'steady',
  'stop-wanted',
  'stopped',
  'slept',
] as const;

const anyFact: fc.Arbitrary<StatusFact> = fc.oneof(
  fc.constantFrom(...plain).map((kind): StatusFact => ({ kind })),
  fc
    .record({
      health: fc.constantFrom('healthy' as const, 'unauthorized' as const),
      port: fc.constantFrom(1, 2),
      message: text,
    })
    .map(({ health, port, message }): StatusFact => ({
      kind: 'probe-passed',
      endpoint: { transport: 'streamable-http', url: `http://localhost:${port}` },
      health,
      message,
    })),
  fc
    .record({ reason: code, message: text, fatal: fc.boolean() })
    .map((told): StatusFact => ({ kind: 'probe-failed', ...told })),
  fc
    .record({ reason: code, message: text })
    .map((told): StatusFact => ({ kind: 'exited', exit, nextRetryAt: null, ...told })),
  fc
    .record({ reason: code, message: text })
    .map((told): StatusFact => ({ kind: 'start-failed', nextRetryAt: null, ...told })),
  fc.record({ reason: code, message: text }).map((told): StatusFact => ({ kind: 'noted', ...told })),
  text.map((message): StatusFact => ({ kind: 'placement-lost', message })),
);

const anyChange = fc.record({
  facts: fc.array(anyFact, { minLength: 1, maxLength: 4 }),
  comesTrue: fc.boolean(),
});

/** What an event says of the time after it. */
function sayingOf({ to, reason, health, endpoint, observedGeneration }: Told): string {
  return JSON.stringify([to, reason, health, endpoint?.url ?? null, observedGeneration]);
}

it('tells no status twice, and no failure without a code and a sentence, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyChange, { maxLength: 25 }), async (changes) => {
      const clock = manualClock();
      const store = memoryStore({ clock });
      await store.open();
      const drafts: EventDraft[] = [];
      const context = {
        clock,
        logger: recordingLogger(),
        identity: () => ({ fleet: 'f', storeId: 's', durable: false }),
        committed: () => undefined,
        store: {
          updateInstance: (...[record, effects, options]: Parameters<typeof store.updateInstance>) => {
            drafts.push(...effects.events);
            return store.updateInstance(record, effects, options);
          },
        },
      } as unknown as ServiceContext;
      let row = await store.createInstance(exampleInstance(), { events: [] });
      for (const { facts, comesTrue } of changes) {
        const observedGeneration = row.observedGeneration + (comesTrue ? 1 : 0);
        await clock.advance(1_000, () => Promise.resolve());
        row = await writeChange(context, row, { facts, fields: { observedGeneration } });
      }
      const told = drafts.flatMap((draft) =>
        draft.type === 'MCPServerInstanceStatusChanged' ? [draft.data] : [],
      );
      told.forEach((event, i) => {
        const before = told[i - 1];
        if (before) {
          expect(sayingOf(event)).not.toBe(sayingOf(before));
          expect(event.from).toBe(before.to);
        }
        if (event.to === 'failed' || event.to === 'unhealthy') {
          expect(event.reason).not.toBe('');
          expect(event.message).not.toBe('');
        }
      });
      await store.close();
    }),
    { numRuns: 300 },
  );
});
