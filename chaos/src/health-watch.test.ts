import { afterEach, describe, expect, it } from 'vitest';
import { HealthWatch, type Watched } from './health-watch.js';
import { MemberError } from './member-process.js';
import { Outages } from './outages.js';

const answerMs = 50;
const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function watching(ask: () => Promise<unknown>, outages = new Outages()): HealthWatch {
  const api: Watched = { name: 'api', role: 'api', sinceMs: 0, ask };
  const watch = new HealthWatch([api], outages, answerMs);
  undo.push(() => watch.stop());
  return watch;
}

describe('a health watch', () => {
  it('finds a process that does not answer in time, and goes on asking once it has', async () => {
    const asked: ((answer: unknown) => void)[] = [];
    const watch = watching(() => new Promise((resolve) => asked.push(resolve)));
    await expect
      .poll(() => watch.hung)
      .toEqual([expect.stringContaining('api did not answer within 50 ms [1 times')]);
    asked[0]?.({ status: 'ok', degraded: {} });
    await expect.poll(() => watch.hung).toEqual([expect.stringContaining('[2 times')]);
    expect([...watch.rejected, ...watch.wrong]).toEqual([]);
  });

  it('ends although an answer never comes', async () => {
    const watch = watching(() => new Promise(() => undefined));
    await expect.poll(() => watch.hung).toHaveLength(1);
    await watch.stop();
    expect(watch.hung).toHaveLength(1);
  });

  it('finds an answer that is an error', async () => {
    const watch = watching(() => Promise.reject(new MemberError('STORE_FAILED', 'away')));
    await expect
      .poll(() => watch.rejected)
      .toEqual([expect.stringContaining('api rejected with Error: away')]);
    expect([...watch.hung, ...watch.wrong]).toEqual([]);
  });

  it('finds an answer that is not true', async () => {
    const watch = watching(() => Promise.resolve({ status: 'ok', degraded: { store: 'away' } }));
    await expect.poll(() => watch.wrong).toEqual([expect.stringContaining('api is ok, and names 1 parts')]);
  });

  it('asks nothing of a process that is gone or was frozen', async () => {
    let asked = 0;
    const gone = watching(() => {
      asked += 1;
      return Promise.reject(new MemberError('GONE', 'The process ended.'));
    });
    await expect.poll(() => asked).toBeGreaterThan(1);
    expect([...gone.hung, ...gone.rejected, ...gone.wrong]).toEqual([]);

    const outages = new Outages();
    outages.begin('process-frozen', 'api', {
      outage: { of: 'process', members: ['api'], how: 'frozen' },
      forMs: 5 * answerMs,
      harm: async () => undefined,
      mend: async () => undefined,
    });
    const frozen = watching(async () => {
      await outages.settled();
      return { status: 'ok', degraded: {} };
    }, outages);
    await outages.settled();
    expect(frozen.hung).toEqual([]);
  });
});
