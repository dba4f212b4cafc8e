import { describe, expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import type { Store } from '../plugin.js';
import { createTestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** A running instance on a store of which single methods stop answering. */
async function instanceOnStore() {
  const clock = manualClock();
  const hung = new Set<string>();
  const wrap = <T extends object>(whole: T, path: string): T =>
    new Proxy(whole, {
      get(target, key) {
        const name = `${path}${String(key)}`;
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'object' && value !== null) return wrap(value, `${name}.`);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown =>
          hung.has(name) ? new Promise(() => undefined) : Reflect.apply(value, target, args);
      },
    });
  const store: Store = wrap(memoryStore({ clock }), '');
  const t = await createTestInfra({ clock, store, tools: { echo: () => 'hi' } });
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  const settledAfter = async (work: Promise<unknown>): Promise<{ ms: number; code: unknown }> => {
    const begunMs = t.clock.monotonicMs();
    let over: { ms: number; code: unknown } | undefined;
    const end = (result: unknown): void => {
      over = { ms: t.clock.monotonicMs() - begunMs, code: (result as { code?: unknown } | undefined)?.code };
    };
    work.then(end, end);
    for (let passed = 0; passed < 300 && over === undefined; passed++) await clock.advance(100);
    return over ?? { ms: Infinity, code: undefined };
  };
  return { ...t, id, hung, settledAfter };
}

describe('a store of which instances.get() hangs', () => {
  it.each([
    ['callTool', 'timeoutMs'],
    ['callTool', 'wakeTimeoutMs'],
    ['connect', 'timeoutMs'],
    ['connect', 'wakeTimeoutMs'],
  ] as const)('keeps no %s() longer than its %s', async (method, option) => {
    const { infra, id, hung, settledAfter } = await instanceOnStore();
    hung.add('instances.get');
    const options = { [option]: 500 };
    const call =
      method === 'connect'
        ? infra.instances.connect(id, options)
        : infra.instances.callTool(id, 'echo', {}, options);
    expect(await settledAfter(call)).toEqual({ ms: 500, code: 'REQUEST_TIMEOUT' });
  });
});

it('keeps no create() much longer than one deadline of its calls where the store hangs', async () => {
  const { infra, hung, settledAfter } = await instanceOnStore();
  for (const name of ['createInstance', 'instances.get']) hung.add(name);
  const { ms, code } = await settledAfter(infra.instances.create({ name: 'two', jsonSpec: docker }));
  expect(code).toBe('PLUGIN_TIMEOUT');
  expect(ms).toBeLessThanOrEqual(11_000);
});

it('keeps no create() much longer than its signal where the store hangs', async () => {
  const { infra, hung, settledAfter } = await instanceOnStore();
  for (const name of ['createInstance', 'instances.get']) hung.add(name);
  const leaving = new AbortController();
  const create = infra.instances.create({ name: 'two', jsonSpec: docker }, { signal: leaving.signal });
  leaving.abort();
  const { ms, code } = await settledAfter(create);
  expect(code).toBe('ABORTED');
  expect(ms).toBeLessThanOrEqual(1_000);
});
