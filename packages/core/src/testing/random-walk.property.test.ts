import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ToolCallResult } from '../index.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';

const names = ['a', 'b', 'c'] as const;
const spec = (mode: number) => ({
  type: 'docker' as const,
  image: 'mcp/test',
  environment: { MODE: String(mode) },
  lifecycle: {
    stop_grace: 2,
    startup_timeout: 20,
    ...(mode === 3 ? { start: 'on-demand' as const, idle_timeout: 30 } : {}),
  },
});

const step = fc.record({
  name: fc.constantFrom(...names),
  what: fc.constantFrom(
    'ensure',
    'update',
    'start',
    'stop',
    'restart',
    'delete',
    'crash',
    'hang',
    'unhang',
    'failNextStart',
    'call',
    'nothing',
  ),
  mode: fc.integer({ min: 1, max: 3 }),
  thenMs: fc.constantFrom(-1, -1, 0, 10, 900, 5_000, 40_000),
});

it('comes to what is wanted in the end, with nothing left over, whatever happens on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      await using t = await createTestInfra({
        tools: { mode: (_args, { environment }) => environment['MODE'] },
      });
      const { instances } = t.infra;
      const background: Promise<unknown>[] = [];
      for (const { name, what, mode, thenMs } of steps) {
        const [existing] = (await instances.list({ name })).items;
        const id = existing?.id ?? 'none';
        // A command may be refused, by what was deleted or stopped meanwhile; it must only not hang or do half.
        const command = {
          ensure: () => instances.ensure({ name, jsonSpec: spec(mode) }),
          update: () => instances.update(id, { jsonSpec: spec(mode) }),
          start: () => instances.start(id),
          stop: () => instances.stop(id),
          restart: () => instances.restart(id),
          delete: () => instances.delete(id),
          call: () => instances.callTool(id, 'mode'),
          crash: async () => t.crash(name),
          hang: async () => t.hang(name),
          unhang: async () => t.unhang(name),
          failNextStart: async () => t.failNextStart('PROVIDER_FAILED'),
          nothing: async () => undefined,
        }[what];
        background.push(command().catch(() => undefined));
        if (thenMs >= 0) await t.advance(thenMs);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      for (const name of names) t.unhang(name);
      await t.advance(300_000);
      await Promise.all(background);
      for (const instance of (await instances.list()).items) {
        expect(instance.observedGeneration).toBe(instance.generation);
        const isWanted = instance.desiredState === 'running';
        expect(isWanted ? ['running', 'idle'] : ['stopped']).toContain(instance.status);
        if (!isWanted || instance.statusDetail.reason === 'UPDATE_ROLLED_BACK') continue;
        const { content } = await called(t, instance.id);
        expect(content[0]?.['text']).toBe(instance.jsonSpec.environment?.['MODE']);
      }
      expect(await t.leaks()).toEqual([]);
      const positions = t.recordedEvents().map(({ position }) => position);
      expect(positions).toEqual(positions.map((_, i) => i + 1));
      await t.stop();
      expect(await t.leaks()).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 120_000);

/** Calls until it succeeds: starts that were to fail may still lie ahead of one that slept. */
async function called(t: TestInfra, id: string): Promise<ToolCallResult> {
  for (let tries = 1; ; tries++) {
    const call = t.infra.instances.callTool(id, 'mode').catch((error: unknown) => {
      if (tries > 30) throw error;
      return null;
    });
    await t.settle();
    const answer = await call;
    if (answer) return answer;
    await t.advance(60_000);
  }
}
