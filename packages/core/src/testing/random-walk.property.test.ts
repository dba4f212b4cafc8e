import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const names = ['a', 'b', 'c'] as const;
const spec = (mode: number) => ({
  type: 'docker' as const,
  image: 'mcp/test',
  environment: { MODE: String(mode) },
  lifecycle: { stop_grace: 2, startup_timeout: 20 },
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
        expect(instance.status).toBe(instance.desiredState);
        if (instance.status !== 'running' || instance.statusDetail.reason === 'UPDATE_ROLLED_BACK') continue;
        const { content } = await instances.callTool(instance.id, 'mode');
        expect(content[0]?.['text']).toBe(instance.jsonSpec.environment?.['MODE']);
      }
      expect(await t.leaks()).toEqual([]);
      const positions = t.recordedEvents().map(({ position }) => position);
      expect(positions).toEqual(positions.map((_, i) => i + 1));
      await t.stop();
      expect(await t.leaks()).toEqual([]);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  );
}, 120_000);
