import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const jsonSpec = { type: 'docker', image: 'mcp/test', lifecycle: { stop_grace: 2 } } as const;

it.each([0, 300])('makes a new copy once the old one has ended for a start %d ms into a stop', async (ms) => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  t.hang('one');
  const stopped = expect(t.infra.instances.stop(id, { wait: true })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  await t.advance(ms);
  const before = t.recordedEvents('MCPServerInstanceStatusChanged').length;
  const started = t.infra.instances.start(id, { wait: true });
  await t.advance(1_000);
  t.crash('one', { exitCode: 0 });
  t.unhang('one');
  await t.advance(2_000);
  expect(await started).toMatchObject({ status: 'running', statusDetail: { restartCount: 0 } });
  await stopped;
  const said = t.recordedEvents('MCPServerInstanceStatusChanged').slice(before);
  expect(said.map(({ data }) => data.to)).toEqual(['pending', 'starting', 'running']);
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
});

it('makes a new copy for a start that follows a stop at once', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  await t.infra.instances.stop(id);
  await t.infra.instances.start(id);
  await t.settle();
  expect((await t.infra.instances.get(id)).status).toBe('running');
  expect(t.provider.copies().map(({ copy }) => copy.revision)).toEqual([2]);
});
