import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

it('ends every wait before its stop is over', async () => {
  const t = await createTestInfra();
  const { instances } = t.infra;
  t.hang('one');
  const jsonSpec = { type: 'docker', image: 'mcp/test' } as const;
  const { id } = await instances.create({ name: 'one', jsonSpec });
  await t.advance(500);
  const codes: string[] = [];
  const waits = {
    ready: instances.waitUntilReady(id),
    waitFor: instances.waitFor(id, 'running'),
    start: instances.restart(id, { wait: true }),
    call: instances.callTool(id, 'echo'),
    connect: instances.connect(id),
    watch: (async () => {
      for await (const _ of instances.watch(id));
    })(),
  };
  for (const [name, wait] of Object.entries(waits))
    wait.then(
      () => codes.push(`${name}: none`),
      (error: unknown) => codes.push(`${name}: ${String((error as { code?: unknown }).code)}`),
    );
  await t.settle();
  expect(codes).toEqual([]);
  await t.stop();
  expect(codes.sort()).toEqual(
    Object.keys(waits)
      .map((name) => `${name}: ALREADY_STOPPED`)
      .sort(),
  );
});
