import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = {
  type: 'docker',
  image: 'mcp/test',
  health_check: { interval: 5, timeout: 2 },
} as const;

for (const [busy_timeout, mostMs] of [
  [undefined, 75_000],
  [20, 35_000],
] as const) {
  it(`restarts a hung server that clients go on to call, ${busy_timeout === undefined ? 'by default within 75 s' : 'sooner where its document says so'}`, async () => {
    await using t = await createTestInfra({ tools: { echo: (args) => args } });
    const { id } = await t.infra.instances.create({
      name: 'one',
      jsonSpec: { ...docker, lifecycle: { busy_timeout } },
    });
    await t.settle();
    await t.infra.instances.callTool(id, 'echo');
    t.hang('one');
    const calls: Promise<unknown>[] = [];
    const begun = t.clock.now();
    while (t.clock.now() - begun < 300_000) {
      calls.push(t.infra.instances.callTool(id, 'echo').catch((error: unknown) => error));
      await t.advance(5_000);
      const { status, statusDetail } = await t.infra.instances.get(id);
      if (statusDetail.restartCount > 0) t.unhang('one');
      if (statusDetail.restartCount > 0 && status === 'running') break;
    }
    expect(t.clock.now() - begun).toBeLessThanOrEqual(mostMs);
    expect((await t.infra.instances.get(id)).statusDetail.lastExit?.code).toBe('UNHEALTHY');
    expect((await t.infra.instances.callTool(id, 'echo', { a: 1 })).structuredContent).toEqual({ a: 1 });
    await t.advance(60_000);
    await Promise.all(calls);
  });
}
