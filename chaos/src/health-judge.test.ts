import { describe, expect, it } from 'vitest';
import { type HealthAnswer, judgeHealth } from './health-judge.js';
import type { Outage } from './outages.js';

/** What a worker that began at 0 s says at 100 s. */
function said(change: Partial<HealthAnswer> = {}): HealthAnswer {
  const degraded = change.degraded ?? {};
  return {
    member: 'worker-0',
    role: 'worker',
    sinceMs: 0,
    askedMs: 100_000,
    answeredMs: 100_100,
    status: Object.keys(degraded).length === 0 ? 'ok' : 'degraded',
    degraded,
    ...change,
  };
}

function outage(change: Partial<Outage> = {}): Outage {
  return {
    of: 'store',
    members: ['worker-0', 'api'],
    how: 'frozen',
    fromMs: 80_000,
    toMs: Infinity,
    ...change,
  };
}

describe('judgeHealth', () => {
  it('finds a part that is not named although it has not worked for long', () => {
    const wrong = 'worker-0 does not name store, which is frozen (since 80.0 s)';
    expect(judgeHealth(said(), [outage()])).toEqual([wrong]);
    expect(judgeHealth(said({ degraded: { 'event-bus': 'away' } }), [outage()])).toContain(wrong);
    expect(judgeHealth(said({ degraded: { store: 'away' } }), [outage()])).toEqual([]);
  });

  it('gives it time to notice, also after a process has begun or was frozen itself', () => {
    expect(judgeHealth(said(), [outage({ fromMs: 86_000 })])).toEqual([]);
    expect(judgeHealth(said({ sinceMs: 90_000 }), [outage()])).toEqual([]);
    const frozen = outage({ of: 'process', fromMs: 70_000, toMs: 95_000 });
    expect(judgeHealth(said(), [outage(), frozen])).toEqual([]);
    expect(judgeHealth(said({ askedMs: 120_000, answeredMs: 120_000 }), [outage(), frozen])).toHaveLength(1);
  });

  it('asks nothing of whom an outage does not meet, nor of what ended while it was asked', () => {
    expect(judgeHealth(said(), [outage({ members: ['worker-1'] })])).toEqual([]);
    expect(judgeHealth(said(), [outage({ toMs: 100_050 })])).toEqual([]);
    const engine = outage({ of: 'provider:docker' });
    expect(judgeHealth(said({ member: 'api', role: 'api' }), [engine])).toEqual([]);
    expect(judgeHealth(said(), [engine])).toHaveLength(1);
    // A pool that the host holds, and silence of streams, need not be named.
    expect(judgeHealth(said(), [outage({ of: 'pool' })])).toEqual([]);
  });

  it('finds a part that is still named although it has worked for long', () => {
    const answer = said({ degraded: { store: 'STORE_FAILED: away' } });
    const wrong = 'worker-0 names store, which has worked since 50.0 s: STORE_FAILED: away';
    expect(judgeHealth(answer, [outage({ fromMs: 20_000, toMs: 50_000 })])).toEqual([wrong]);
    expect(judgeHealth(answer, [])).toHaveLength(1);
    expect(judgeHealth(answer, [outage({ fromMs: 20_000, toMs: 70_000 })])).toEqual([]);
  });

  it('takes no outage for another one as a reason', () => {
    const answer = said({ degraded: { store: 'away' } });
    const after = { fromMs: 80_000, toMs: 95_000 };
    expect(judgeHealth(answer, [outage({ ...after, of: 'event-bus' })])).toHaveLength(1);
    expect(judgeHealth(answer, [outage({ ...after, members: ['worker-1'] })])).toHaveLength(1);
    expect(judgeHealth(answer, [outage({ ...after, of: 'pool' })])).toEqual([]);
  });

  it('finds a status that the named parts do not bear out', () => {
    const [wrong] = judgeHealth(said({ status: 'degraded' }), []);
    expect(wrong).toBe('worker-0 is degraded, and names 0 parts that do not work');
    expect(judgeHealth(said({ status: 'stopped' }), [])).toHaveLength(1);
    expect(judgeHealth(said({ status: 'ok', degraded: { store: 'away' } }), [outage()])).toHaveLength(1);
  });
});
