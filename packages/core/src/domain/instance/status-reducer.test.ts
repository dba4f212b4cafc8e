import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstanceStatus } from './mcp-server-instance.js';
import { allowedTransitions, reduceStatus, type InstancePhase, type StatusFact } from './status-reducer.js';

const start = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:00:05.000Z';

const fresh: InstancePhase = {
  status: 'pending',
  statusDetail: {
    reason: '',
    message: '',
    since: start,
    restartCount: 0,
    nextRetryAt: null,
    lastExit: null,
    endpoint: null,
    health: { state: 'unknown', message: '', since: start },
  },
};
const endpoint = { transport: 'stdio' } as const;
const exit = { at: start, exitCode: 1, signal: null, oomKilled: false, lastLogLines: ['bye'] } as const;
const passed: StatusFact = { kind: 'probe-passed', endpoint, health: 'healthy', message: '' };
const exited: StatusFact = {
  kind: 'exited',
  exit,
  reason: 'EXITED',
  message: 'It ended.',
  nextRetryAt: later,
};

function updateFailed(nextRetryAt: string | null): StatusFact {
  const reason = 'EXITED_AT_START';
  const update = { generation: 2, reason, message: 'no', since: start, at: start, attempts: 1 } as const;
  return { kind: 'update-failed', update: { ...update, nextRetryAt, lastExit: null } };
}

/** The phase after facts that came one after the other. */
function after(...facts: StatusFact[]): InstancePhase {
  return facts.reduce((phase, fact) => reduceStatus(phase, fact, later), fresh);
}

const running = (): InstancePhase => after({ kind: 'start-began' }, passed);

const anyFact: fc.Arbitrary<StatusFact> = fc.oneof(
  ...(
    [
      'run-wanted',
      'retry-began',
      'update-over',
      'pull-began',
      'start-began',
      'steady',
      'stop-wanted',
      'stopped',
      'slept',
      'delete-wanted',
    ] as const
  ).map((kind) => fc.constant<StatusFact>({ kind })),
  fc
    .constantFrom('healthy' as const, 'unauthorized' as const)
    .map((health): StatusFact => ({ ...passed, health })),
  fc
    .record({
      fatal: fc.boolean(),
      reason: fc.constantFrom('REQUEST_TIMEOUT' as const, 'HTTP_STATUS' as const),
      message: fc.constantFrom('late', 'late again', ''),
    })
    .map((told): StatusFact => ({ kind: 'probe-failed', ...told })),
  fc.constant<StatusFact>({ kind: 'probe-recovered' }),
  fc.option(fc.constant(later)).map((nextRetryAt): StatusFact => ({
    kind: 'start-failed',
    reason: 'EXITED_AT_START',
    message: 'no',
    nextRetryAt,
  })),
  fc.option(fc.constant(later)).map((nextRetryAt): StatusFact => ({ ...exited, nextRetryAt })),
  fc.constant<StatusFact>({ kind: 'noted', reason: 'WAITING_FOR_SLOT', message: 'three before it' }),
  fc.option(fc.constant(later)).map((nextRetryAt): StatusFact => updateFailed(nextRetryAt)),
  fc.constant<StatusFact>({ kind: 'placement-lost', message: 'engine away' }),
);

describe('the status reducer', () => {
  it.each<[string, StatusFact]>([
    [
      'a failed probe',
      { kind: 'probe-failed', reason: 'PROTOCOL_ERROR', message: '\u001b[31mno\u0007', fatal: true },
    ],
    ['a note', { kind: 'noted', reason: 'PROVIDER_FAILED', message: 'one\u0000two' }],
    [
      'an exit',
      { ...exited, exit: { ...exit, lastLogLines: ['\u001b[31mpanic\u001b[0m', 'x'.repeat(1e6)] } },
    ],
  ])('shows no control characters of %s, nor texts of absurd size', (_, fact) => {
    const shown = JSON.stringify(reduceStatus(running(), fact, later));
    expect(shown).not.toMatch(/\\u0|\[31m/u);
    expect(shown.length).toBeLessThan(10_000);
  });

  it('counts no crash where the engine ended', () => {
    const facts: StatusFact = { ...exited, exit: { ...exit, code: 'ENGINE_RESTARTED' } };
    expect(reduceStatus(running(), facts, later).statusDetail.restartCount).toBe(0);
    expect(reduceStatus(running(), exited, later).statusDetail.restartCount).toBe(1);
  });

  it('never leaves the machine, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 60 }), (facts) => {
        let phase = fresh;
        for (const fact of facts) {
          const next = reduceStatus(phase, fact, later);
          if (next.status !== phase.status) expect(allowedTransitions[phase.status]).toContain(next.status);
          const { reason, message, nextRetryAt, endpoint: reach, health } = next.statusDetail;
          // A failure says why; only a failure waits for a next try; only what serves has an endpoint and health.
          const isFailure = next.status === 'failed' || next.status === 'unhealthy';
          if (isFailure) expect([reason, message].every((text) => text !== '')).toBe(true);
          if (next.status !== 'failed') expect(nextRetryAt).toBeNull();
          const serving = next.status === 'running' || next.status === 'unhealthy';
          if (next.status === 'running') expect(reach).not.toBeNull();
          if (!serving) expect(health.state).toBe('unknown');
          phase = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('leads from every status but deleting back to running or to its end', () => {
    const wayBack: StatusFact[] = [
      { kind: 'stop-wanted' },
      { kind: 'stopped' },
      { kind: 'run-wanted' },
      { kind: 'start-began' },
      passed,
    ];
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        const end = wayBack.reduce((phase, fact) => reduceStatus(phase, fact, later), after(...facts));
        expect(end.status === 'running' || end.status === 'deleting').toBe(true);
      }),
    );
  });

  it('ignores what comes too late, by giving back the same phase', () => {
    const stopped = reduceStatus(
      reduceStatus(running(), { kind: 'stop-wanted' }, later),
      { kind: 'stopped' },
      later,
    );
    for (const fact of [passed, exited, { kind: 'start-began' } as const, { kind: 'slept' } as const]) {
      expect(reduceStatus(stopped, fact, later)).toBe(stopped);
    }
  });

  it('lets nothing but the end follow a delete', () => {
    const deleting = reduceStatus(running(), { kind: 'delete-wanted' }, later);
    for (const fact of [passed, exited, { kind: 'run-wanted' } as const, { kind: 'stop-wanted' } as const]) {
      expect(reduceStatus(deleting, fact, later).status).toBe('deleting');
    }
  });

  it('counts crashes and forgets them after a steady run', () => {
    const crashed = reduceStatus(running(), exited, later);
    expect(crashed).toMatchObject({
      status: 'failed',
      statusDetail: { restartCount: 1, lastExit: exit, nextRetryAt: later },
    });
    const again = [{ kind: 'run-wanted' } as const, { kind: 'start-began' } as const, passed].reduce(
      (phase: InstancePhase, fact) => reduceStatus(phase, fact, later),
      crashed,
    );
    expect(again).toMatchObject({
      status: 'running',
      statusDetail: { restartCount: 1, reason: '', lastExit: exit },
    });
    expect(reduceStatus(again, { kind: 'steady' }, later).statusDetail.restartCount).toBe(0);
  });

  it('takes a failed probe for the same as long as only figures differ in what it says', () => {
    const failed = (message: string): StatusFact => ({
      kind: 'probe-failed',
      reason: 'HTTP_STATUS',
      message,
      fatal: true,
    });
    const unhealthy = reduceStatus(running(), failed('Answered 503 after 12 ms.'), later);
    expect(reduceStatus(unhealthy, failed('Answered 500 after 7 ms.'), later)).toBe(unhealthy);
    expect(reduceStatus(unhealthy, failed('Answered nothing.'), later).statusDetail).toMatchObject({
      message: 'Answered nothing.',
      health: { message: 'Answered nothing.', lastProbe: { message: 'Answered nothing.' } },
    });
  });

  it('tells what a probe saw before it matters, and takes it back', () => {
    const seen = reduceStatus(
      running(),
      { kind: 'probe-failed', reason: 'REQUEST_TIMEOUT', message: 'late', fatal: false },
      later,
    );
    expect(seen.status).toBe('running');
    expect(seen.statusDetail.health).toMatchObject({
      state: 'healthy',
      lastProbe: { code: 'REQUEST_TIMEOUT' },
    });
    expect(reduceStatus(seen, { kind: 'probe-recovered' }, later)).toEqual(running());
  });

  it('keeps since when a status only says more', () => {
    const before = running();
    const noted = reduceStatus(before, updateFailed(null), '2026-01-01T01:00:00.000Z');
    expect(noted.statusDetail.since).toBe(before.statusDetail.since);
  });

  it('says of an update that was given up until it is over, whatever health does', () => {
    const sick: StatusFact = {
      kind: 'probe-failed',
      reason: 'REQUEST_TIMEOUT',
      message: 'late',
      fatal: true,
    };
    const given = [updateFailed(null), sick].reduce(
      (phase: InstancePhase, fact) => reduceStatus(phase, fact, later),
      running(),
    );
    expect(given.statusDetail).toMatchObject({
      reason: 'REQUEST_TIMEOUT',
      update: { reason: 'EXITED_AT_START' },
    });
    const well = reduceStatus(given, passed, later);
    expect(well.statusDetail.reason).toBe('UPDATE_ROLLED_BACK');
    expect(well.statusDetail.message).toContain('EXITED_AT_START: no');
    const over = reduceStatus(well, { kind: 'update-over' }, later);
    expect([over.statusDetail.reason, over.statusDetail.update]).toEqual(['', undefined]);
  });

  it('says nothing beside the status of an update that is tried again', () => {
    expect(reduceStatus(running(), updateFailed(later), later).statusDetail).toMatchObject({
      reason: '',
      update: { nextRetryAt: later },
    });
  });

  it('goes on telling why it failed until it is ready, but not what it waited for', () => {
    const crashed = reduceStatus(running(), exited, later);
    const again = [{ kind: 'retry-began' } as const, { kind: 'start-began' } as const].reduce(
      (phase: InstancePhase, fact) => reduceStatus(phase, fact, later),
      crashed,
    );
    expect(again).toMatchObject({
      status: 'starting',
      statusDetail: { reason: 'EXITED', message: 'It ended.', nextRetryAt: null },
    });
    const line: StatusFact = { kind: 'noted', reason: 'WAITING_FOR_SLOT', message: 'three before it' };
    expect(
      reduceStatus(reduceStatus(again, line, later), { kind: 'start-began' }, later).statusDetail.reason,
    ).toBe('');
    expect(reduceStatus(again, passed, later).statusDetail.reason).toBe('');
  });

  it('has a way into every status', () => {
    const reachable = new Set<InstanceStatus>(Object.values(allowedTransitions).flat());
    expect([...reachable].sort()).toEqual(Object.keys(allowedTransitions).sort());
  });
});
